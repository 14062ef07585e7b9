#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "controller/kube_client.hpp"
#include "controller/slot_pool.hpp"

namespace controller {

/// Whether a request may read the metrics, as the API server says: whose token it is (TokenReview),
/// and whether that user may `get` the non-resource URL (SubjectAccessReview), as
/// controller-runtime does it.
class ScrapeAccess {
 public:
  enum class Verdict {
    Allowed,
    Unauthenticated,  ///< no bearer token, or none that the API server knows
    Forbidden,        ///< known, but without the right
    Unknown,          ///< the API server did not say; try again
  };
  using Clock = std::chrono::steady_clock;
  using Now = Clock::time_point (*)();

  /// An answer is kept so long: a right that is taken away counts for up to a minute more, one that
  /// is given helps after 10 s. Unknown is never kept.
  static constexpr std::chrono::seconds kKeepAllowed{60};
  static constexpr std::chrono::seconds kKeepRefused{10};
  /// Answers kept; more different tokens than that in a minute are no scrapers.
  static constexpr std::size_t kMaxKept = 64;

  /// `client` has to live longer.
  explicit ScrapeAccess(KubeClient& client, Now now = Clock::now);

  /// `authorization` is the header of the request. One request at a time asks the API
  /// server, and the others wait, so nobody can use us to flood it.
  boost::asio::awaitable<Verdict> check(std::string authorization, std::string path);

 private:
  struct Kept {
    Verdict verdict;
    Clock::time_point until;
  };

  boost::asio::awaitable<Verdict> ask(std::string token, std::string path);
  std::optional<Verdict> kept(const std::string& key) const;
  void keep(const std::string& key, Verdict verdict);

  KubeClient& client_;
  Now now_;
  SlotPool reviews_;
  std::map<std::string, Kept> kept_;  ///< by a digest: no token stays in memory
};

}  // namespace controller
