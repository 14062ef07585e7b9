#include "controller/credential_cache.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <list>

#include "controller/wall_clock.hpp"

namespace controller {
namespace {

namespace asio = boost::asio;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Answer = CredentialCache::Answer;

/// Logins end when the test says so; time passes when the test says so.
class CredentialCacheTest : public testing::Test {
 protected:
  struct Call {
    std::optional<Answer> answer;
    bool cancelled = false;
    asio::cancellation_signal cancel;
  };

  asio::awaitable<Answer> log_in() {
    ++logins_;
    gate_.emplace(io_, asio::steady_timer::time_point::max());
    boost::system::error_code ended;
    if (slow_) co_await gate_->async_wait(asio::redirect_error(asio::use_awaitable, ended));
    // The wait also ends by finish_login(); only the state tells that from a cancellation.
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) {
      throw boost::system::system_error(asio::error::operation_aborted);
    }
    co_return next_;
  }

  Call& start() {
    auto& call = calls_.emplace_back();
    asio::co_spawn(io_, cache_.current(),
                   asio::bind_cancellation_slot(
                       call.cancel.slot(), [&call](const std::exception_ptr& error, Answer answer) {
                         call.cancelled = error != nullptr;
                         if (!error) call.answer = std::move(answer);
                       }));
    turn();
    return call;
  }
  void turn() {
    io_.restart();
    io_.poll();
  }
  void finish_login() {
    gate_->cancel();
    turn();
  }

  std::string token() {
    const auto answer = start().answer;
    if (!answer) return "still waiting";
    return *answer ? (*answer)->token : "error: " + answer->error();
  }
  void reject(const std::string& which) {
    ExecCredential used = *next_;
    used.token = which;
    cache_.rejected(used);
  }
  void prints(const std::string& which, std::chrono::milliseconds lifetime = hours(1)) {
    ExecCredential credential;
    credential.token = which;
    if (lifetime != hours(0)) credential.expires = wall_clock() + lifetime;
    next_ = credential;
  }

  asio::io_context io_{1};
  std::chrono::steady_clock::time_point now_ = std::chrono::steady_clock::now();
  CredentialCache cache_{[this] { return log_in(); }, [this] { return now_; }};
  Answer next_ = std::unexpected("no answer");
  std::optional<asio::steady_timer> gate_;
  std::list<Call> calls_;
  int logins_ = 0;
  bool slow_ = false;
};

TEST_F(CredentialCacheTest, LogsInOnceUntilShortlyBeforeTheEnd) {
  prints("one");
  EXPECT_EQ(token(), "one");
  prints("two");
  now_ += minutes(58);
  EXPECT_EQ(token(), "one");
  EXPECT_EQ(logins_, 1);
  now_ += seconds(61);
  EXPECT_EQ(token(), "two");
}

TEST_F(CredentialCacheTest, KeepsForEverWhatHasNoEnd) {
  prints("one", hours(0));
  EXPECT_EQ(token(), "one");
  now_ += hours(10'000);
  EXPECT_EQ(token(), "one");
  EXPECT_EQ(logins_, 1);
}

TEST_F(CredentialCacheTest, TakesAnEndThatIsCenturiesAway) {
  prints("one", std::chrono::years(7000));
  EXPECT_EQ(token(), "one");
  now_ += hours(24);
  EXPECT_EQ(token(), "one");
  EXPECT_EQ(logins_, 1);
}

TEST_F(CredentialCacheTest, TriesToReplaceACredentialThatEndedCenturiesAgo) {
  prints("one", -std::chrono::years(2000));
  EXPECT_EQ(token(), "one");
  now_ += seconds(6);
  EXPECT_EQ(token(), "one");
  EXPECT_EQ(logins_, 2);
}

TEST_F(CredentialCacheTest, LogsInAgainOnceForEachCredentialThatIsRefused) {
  prints("one", hours(0));
  EXPECT_EQ(token(), "one");
  now_ += minutes(1);
  prints("two", hours(0));
  reject("one");
  EXPECT_EQ(token(), "two");
  reject("one");  // by a request that was sent before
  now_ += minutes(1);
  EXPECT_EQ(token(), "two");
  EXPECT_EQ(logins_, 2);
}

TEST_F(CredentialCacheTest, DoesNotLogInAgainAndAgainForTheSameRefusedCredential) {
  prints("one");
  EXPECT_EQ(token(), "one");
  now_ += seconds(5);
  for (int i = 0; i < 10; ++i) {
    reject("one");
    prints("one");
    EXPECT_EQ(token(), "one");
    now_ += seconds(5);
  }
  EXPECT_EQ(logins_, 2);
  now_ += seconds(10);
  prints("two");
  EXPECT_EQ(token(), "two");
}

TEST_F(CredentialCacheTest, GivesAnEndedCredentialOnWhenThePluginHasNoOther) {
  prints("one", -hours(1));
  EXPECT_EQ(token(), "one");
  EXPECT_EQ(token(), "one");
  EXPECT_EQ(logins_, 1);
  now_ += seconds(5);
  EXPECT_EQ(token(), "one");
  EXPECT_EQ(logins_, 2);
}

TEST_F(CredentialCacheTest, DoesNotRepeatAFailedLoginAtOnce) {
  EXPECT_EQ(token(), "error: no answer");
  EXPECT_EQ(token(), "error: no answer");
  EXPECT_EQ(logins_, 1);
  now_ += seconds(5);
  prints("one");
  EXPECT_EQ(token(), "one");
}

TEST_F(CredentialCacheTest, UsesTheOldCredentialWhileItIsGoodAndTheLoginFails) {
  prints("one");
  EXPECT_EQ(token(), "one");
  next_ = std::unexpected("no answer");
  now_ += minutes(59) + seconds(30);
  EXPECT_EQ(token(), "one");
  EXPECT_EQ(logins_, 2);
  now_ += minutes(1);
  EXPECT_EQ(token(), "error: no answer");
}

TEST_F(CredentialCacheTest, LetsAllWaitForTheSameLogin) {
  slow_ = true;
  prints("one");
  auto& first = start();
  auto& second = start();
  EXPECT_FALSE(first.answer);
  EXPECT_FALSE(second.answer);
  finish_login();
  EXPECT_EQ(logins_, 1);
  EXPECT_EQ((*first.answer)->token, "one");
  EXPECT_EQ((*second.answer)->token, "one");
}

TEST_F(CredentialCacheTest, LetsOthersGoOnWithTheOldCredentialWhileOneLogsIn) {
  prints("one");
  EXPECT_EQ(token(), "one");
  slow_ = true;
  prints("two");
  now_ += minutes(59) + seconds(30);
  auto& first = start();
  EXPECT_FALSE(first.answer);
  EXPECT_EQ(token(), "one");
  finish_login();
  EXPECT_EQ((*first.answer)->token, "two");
  EXPECT_EQ(token(), "two");
}

TEST_F(CredentialCacheTest, LetsAnotherLogInWhenTheOneThatDidIsCancelled) {
  slow_ = true;
  prints("one");
  auto& first = start();
  auto& second = start();
  first.cancel.emit(asio::cancellation_type::terminal);
  turn();
  EXPECT_TRUE(first.cancelled);
  EXPECT_EQ(logins_, 2);
  finish_login();
  EXPECT_EQ((*second.answer)->token, "one");
}

}  // namespace
}  // namespace controller
