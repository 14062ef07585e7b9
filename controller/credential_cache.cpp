#include "controller/credential_cache.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "controller/wall_clock.hpp"

namespace controller {
namespace {

namespace asio = boost::asio;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kEarly{60};
constexpr int kEarlyPart = 10;
constexpr std::chrono::years kLongest{1};
constexpr seconds kPause{5};
constexpr seconds kPauseAfterRepeat{60};

}  // namespace

asio::awaitable<CredentialCache::Answer> CredentialCache::current() {
  while (true) {
    const auto now = clock_();
    const bool good = is_good(now);
    const bool due = refresh_at_ && now >= *refresh_at_;
    if (good && !due) co_return Answer(*credential_);
    if (running_) {
      if (good) co_return Answer(*credential_);
      co_await running_->async_wait(asio::as_tuple(asio::use_awaitable));
    } else if (!not_before_ || now >= *not_before_) {
      co_await log_in();
    } else if (good || (credential_ && failure_.empty())) {
      // One that has ended or was refused may still do: the clocks of two machines differ.
      co_return Answer(*credential_);
    } else {
      co_return std::unexpected(failure_);
    }
  }
}

void CredentialCache::rejected(const ExecCredential& used) {
  if (credential_ && *credential_ == used) rejected_ = true;
}

bool CredentialCache::is_good(TimePoint now) const {
  return credential_ && !rejected_ && (!ends_at_ || now < *ends_at_);
}

asio::awaitable<void> CredentialCache::log_in() {
  /// However the run ends: wakes those who wait for it.
  struct Ended {
    explicit Ended(CredentialCache& its_cache) : cache(its_cache) {}
    Ended(const Ended&) = delete;
    Ended& operator=(const Ended&) = delete;
    ~Ended() {
      cache.running_.reset();
      // A call that was cancelled says nothing of the plugin: without a credential the next one
      // tries at once.
      if (answered || cache.credential_) cache.not_before_ = cache.clock_() + pause;
    }
    CredentialCache& cache;
    bool answered = false;
    seconds pause = kPause;
  };

  auto executor = co_await asio::this_coro::executor;
  running_.emplace(executor, asio::steady_timer::time_point::max());
  Ended ended(*this);
  auto answer = co_await login_();
  ended.answered = true;
  failure_ = answer ? std::string() : answer.error();
  if (!answer) co_return;
  if (rejected_ && credential_->token == answer->token &&
      credential_->certificate_pem == answer->certificate_pem) {
    ended.pause = kPauseAfterRepeat;
  } else {
    rejected_ = false;
  }
  take(std::move(*answer));
}

void CredentialCache::take(ExecCredential fresh) {
  credential_ = std::move(fresh);
  ends_at_.reset();
  refresh_at_.reset();
  if (!credential_->expires) return;
  // Nanoseconds have no room for 9999-12-31, nor for year 1, the zero time of Go.
  const steady_clock::duration lifetime = std::clamp<std::chrono::milliseconds>(
      *credential_->expires - wall_clock(), -kLongest, kLongest);
  const steady_clock::duration early =
      std::min<steady_clock::duration>(kEarly, lifetime / kEarlyPart);
  ends_at_ = clock_() + lifetime;
  refresh_at_ = *ends_at_ - early;
}

}  // namespace controller
