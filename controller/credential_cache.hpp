#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <expected>
#include <functional>
#include <optional>
#include <string>

#include "controller/exec_credential.hpp"

namespace controller {

/// Keeps what an exec plugin gave until it ends. The plugin runs in the call that needs it; others
/// wait for that run, or go on with the old credential while it is good. It is run again
/// - from a minute before the end, or a tenth of the lifetime when that is shorter,
/// - after a 401, once for each credential,
/// but at most every 5 s, and every minute while it repeats a credential that got a 401.
class CredentialCache {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;
  using Answer = std::expected<ExecCredential, std::string>;
  using Login = std::function<boost::asio::awaitable<Answer>()>;

  CredentialCache(Login login, Clock clock) : login_(std::move(login)), clock_(std::move(clock)) {}

  /// Calls must have ended before the cache is destroyed.
  boost::asio::awaitable<Answer> current();
  /// A request with this credential was answered with 401.
  void rejected(const ExecCredential& used);

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  bool is_good(TimePoint now) const;
  boost::asio::awaitable<void> log_in();
  void take(ExecCredential fresh);

  Login login_;
  Clock clock_;
  std::optional<ExecCredential> credential_;
  std::optional<TimePoint> refresh_at_;  ///< absent: it does not end
  std::optional<TimePoint> ends_at_;
  bool rejected_ = false;
  std::string failure_;                               ///< of the last run
  std::optional<TimePoint> not_before_;               ///< of the next run
  std::optional<boost::asio::steady_timer> running_;  ///< cancelled when the run has ended
};

}  // namespace controller
