#include "controller/shutdown.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <stdexcept>

#include "controller/reconcile_loop.hpp"
#include "test/fake/loop_fixture.hpp"

namespace controller {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using testing::ElementsAre;

/// The process as main wires it, with a reconciler that takes until it is let go.
class ShutdownTest : public fake::LoopFixture, public Reconciler {
 protected:
  boost::asio::awaitable<ReconcileResult> reconcile(std::string key) override {
    begun_.push_back(key);
    asio::steady_timer timer{io_, asio::steady_timer::time_point::max()};
    running_ = &timer;
    boost::system::error_code woken;
    co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    // One more wait, as any real one has: here a cancelled one ends.
    co_await asio::post(io_, asio::use_awaitable);
    ended_.push_back(key);
    co_return ReconcileResult::await_change();
  }

  static asio::awaitable<void> wait_for_ever(asio::io_context& io) {
    asio::steady_timer timer{io, asio::steady_timer::time_point::max()};
    co_await timer.async_wait(asio::use_awaitable);
  }

  asio::awaitable<void> fail_when_let_go() {
    co_await failing_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (shall_fail_) throw std::runtime_error("the certificate is wrong");
  }

  void start(std::chrono::seconds limit) {
    workers_.spawn(run_worker(queue_, *this));
    others_.spawn(wait_for_ever(io_));
    others_.spawn(fail_when_let_go());
    others_.spawn(stop_on_signal(queue_, workers_, others_, limit));
    others_.spawn(end_with(workers_, others_));
    asio::co_spawn(io_, join_all(workers_, others_), [this](const std::exception_ptr& error) {
      over_ = true;
      error_ = error;
    });
    io_.poll();  // until it listens for signals, which would end the test else
    queue_.add("a");
    run_until([this] { return begun_.size() == 1; });
  }

  void wait_for_the_end() {
    run_until([this] { return over_; });
  }

  WorkQueue queue_{io_.get_executor()};
  TaskGroup workers_{io_.get_executor()};
  TaskGroup others_{io_.get_executor()};
  asio::steady_timer failing_{io_, asio::steady_timer::time_point::max()};
  bool shall_fail_ = false;
  asio::steady_timer* running_ = nullptr;
  std::vector<std::string> begun_;
  std::vector<std::string> ended_;
  bool over_ = false;
  std::exception_ptr error_;
};

TEST_F(ShutdownTest, LetsARunningReconcileEndAndBeginsNoOther) {
  start(1h);
  queue_.add("b");
  std::raise(SIGTERM);
  run_until([this] { return queue_.stopped(); });
  EXPECT_FALSE(over_);
  running_->cancel();
  wait_for_the_end();
  EXPECT_THAT(begun_, ElementsAre("a"));
  EXPECT_THAT(ended_, ElementsAre("a"));
  EXPECT_EQ(error_, nullptr);
}

TEST_F(ShutdownTest, EndsAtOnceWhenThereAreNoWorkers) {
  others_.spawn(wait_for_ever(io_));
  others_.spawn(stop_on_signal(queue_, workers_, others_, 1h));
  asio::co_spawn(io_, join_all(workers_, others_), [this](const std::exception_ptr& error) {
    over_ = true;
    error_ = error;
  });
  io_.poll();
  std::raise(SIGTERM);
  wait_for_the_end();
  EXPECT_EQ(error_, nullptr);
}

TEST_F(ShutdownTest, CancelsAReconcileThatTakesTooLong) {
  start(0s);
  std::raise(SIGINT);
  wait_for_the_end();
  EXPECT_THAT(begun_, ElementsAre("a"));
  EXPECT_THAT(ended_, ElementsAre());
  EXPECT_EQ(error_, nullptr) << "to be cancelled is no failure";
}

TEST_F(ShutdownTest, EndsEverythingWhenOneTaskFails) {
  start(1h);
  shall_fail_ = true;
  failing_.cancel();
  wait_for_the_end();
  EXPECT_THAT(ended_, ElementsAre());
  ASSERT_NE(error_, nullptr);
  EXPECT_THROW(std::rethrow_exception(error_), std::runtime_error);
}

TEST_F(ShutdownTest, EndsAtOnceAtASecondSignal) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        start(1h);
        std::raise(SIGTERM);
        run_until([this] { return queue_.stopped(); });
        std::raise(SIGTERM);
      },
      testing::ExitedWithCode(128 + SIGTERM), "");
  // The parent has started nothing.
}

}  // namespace
}  // namespace controller
