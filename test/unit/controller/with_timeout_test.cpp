#include "controller/with_timeout.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <memory>
#include <optional>
#include <stdexcept>

namespace controller {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Move-only and without a default constructor, as results of operations may be.
struct Value {
  explicit Value(int its_number) : number(std::make_unique<int>(its_number)) {}
  std::unique_ptr<int> number;
};

asio::awaitable<Value> at_once() { co_return Value(42); }

asio::awaitable<Value> fails() {
  throw std::runtime_error("its own failure");
  co_return Value(0);
}

asio::awaitable<Value> never(bool& ended) {
  asio::steady_timer timer(co_await asio::this_coro::executor, steady_clock::time_point::max());
  const std::unique_ptr<bool, void (*)(bool*)> at_end(&ended, [](bool* flag) { *flag = true; });
  co_await timer.async_wait(asio::use_awaitable);
  co_return Value(0);
}

class WithTimeoutTest : public testing::Test {
 protected:
  /// Runs until nothing is left to do, so that a forgotten timer would make the test hang.
  void run(asio::awaitable<Value> op, milliseconds limit) {
    auto call = with_timeout(steady_clock::now() + limit, std::move(op));
    asio::co_spawn(io_, std::move(call),
                   asio::bind_cancellation_slot(
                       cancel_.slot(), [this](const std::exception_ptr& error, auto value) {
                         error_ = error;
                         value_ = std::move(value);
                       }));
    io_.run();
  }

  asio::io_context io_{1};
  asio::cancellation_signal cancel_;
  std::exception_ptr error_;
  std::optional<Value> value_;
};

TEST_F(WithTimeoutTest, GivesTheValueAndLeavesNoTimerBehind) {
  run(at_once(), std::chrono::hours(1));
  ASSERT_TRUE(value_);
  EXPECT_EQ(*value_->number, 42);
}

TEST_F(WithTimeoutTest, GivesNothingAfterTheDeadlineAndWaitsForTheOperationToEnd) {
  bool ended = false;
  run(never(ended), milliseconds(1));
  EXPECT_FALSE(value_);
  EXPECT_FALSE(error_);
  EXPECT_TRUE(ended);
}

TEST_F(WithTimeoutTest, PassesAnExceptionOnAtOnce) {
  run(fails(), std::chrono::hours(1));
  EXPECT_THROW(std::rethrow_exception(error_), std::runtime_error);
}

TEST_F(WithTimeoutTest, TellsACancellationFromATimeout) {
  bool ended = false;
  asio::post(io_, [this] {
    asio::post(io_, [this] { cancel_.emit(asio::cancellation_type::terminal); });
  });
  run(never(ended), std::chrono::hours(1));
  ASSERT_TRUE(error_);
  try {
    std::rethrow_exception(error_);
  } catch (const boost::system::system_error& error) {
    EXPECT_EQ(error.code(), asio::error::operation_aborted);
  }
}

}  // namespace
}  // namespace controller
