#include "controller/slot_pool.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <memory>
#include <optional>
#include <vector>

namespace controller {
namespace {

namespace asio = boost::asio;

class SlotPoolTest : public testing::Test {
 protected:
  struct Taker {
    asio::cancellation_signal cancel;
    std::optional<SlotPool::Slot> slot;
    bool cancelled = false;
  };

  /// Starts to take a slot; what comes of it is in the Taker.
  static asio::awaitable<void> take(std::shared_ptr<SlotPool> pool, Taker& taker) {
    taker.slot.emplace(co_await pool->acquire());
  }

  Taker& start() {
    takers_.push_back(std::make_unique<Taker>());
    auto& taker = *takers_.back();
    asio::co_spawn(io_, take(pool_, taker),
                   asio::bind_cancellation_slot(taker.cancel.slot(),
                                                [&taker](const std::exception_ptr& error) {
                                                  taker.cancelled = error != nullptr;
                                                }));
    settle();
    return taker;
  }

  void settle() {
    io_.restart();
    io_.poll();
  }

  std::vector<std::unique_ptr<Taker>> takers_;  // outlive what is still waiting in io_
  asio::io_context io_{1};
  std::shared_ptr<SlotPool> pool_ = std::make_shared<SlotPool>(1);
};

TEST_F(SlotPoolTest, ServesInOrder) {
  auto& first = start();
  auto& second = start();
  auto& third = start();
  EXPECT_TRUE(first.slot && !second.slot && !third.slot);
  first.slot.reset();
  settle();
  EXPECT_TRUE(second.slot && !third.slot);
  second.slot.reset();
  settle();
  EXPECT_TRUE(third.slot);
}

TEST_F(SlotPoolTest, LetsNobodyOvertake) {
  auto& first = start();
  auto& second = start();
  first.slot.reset();  // the slot is the second's now, though it has not yet run
  auto& third = start();
  EXPECT_TRUE(second.slot && !third.slot);
}

TEST_F(SlotPoolTest, ForgetsAWaiterThatWasCancelled) {
  auto& first = start();
  auto& second = start();
  auto& third = start();
  second.cancel.emit(asio::cancellation_type::terminal);
  settle();
  EXPECT_TRUE(second.cancelled);
  first.slot.reset();
  settle();
  EXPECT_TRUE(third.slot);
}

TEST_F(SlotPoolTest, LosesNoSlotWhenAWaiterIsServedAndCancelledAtOnce) {
  auto& first = start();
  auto& second = start();
  first.slot.reset();
  second.cancel.emit(asio::cancellation_type::terminal);
  settle();
  second.slot.reset();
  auto& third = start();
  EXPECT_TRUE(third.slot);
}

TEST_F(SlotPoolTest, MayGoBeforeItsWaiters) {
  start();
  start();
  pool_.reset();
}

}  // namespace
}  // namespace controller
