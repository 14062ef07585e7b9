#include "controller/task_group.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <memory>
#include <stdexcept>
#include <vector>

namespace controller {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class TaskGroupTest : public testing::Test {
 protected:
  asio::io_context io_;
  TaskGroup tasks_{io_.get_executor()};
  std::vector<std::string> log_;
  std::exception_ptr error_;
  bool joined_ = false;

  asio::awaitable<void> say(std::string word) {
    log_.push_back(word);
    co_return;
  }

  asio::awaitable<void> wait_for_ever(std::string name) {
    asio::steady_timer timer{co_await asio::this_coro::executor,
                             asio::steady_timer::time_point::max()};
    try {
      co_await timer.async_wait(asio::use_awaitable);
    } catch (const boost::system::system_error&) {
      log_.push_back(name + " cancelled");
      throw;
    }
  }

  asio::awaitable<void> fail(std::string message) {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    throw std::runtime_error(message);
  }

  /// Ends with an error of its own when it is cancelled.
  asio::awaitable<void> fail_when_cancelled() {
    bool cancelled = false;
    try {
      co_await wait_for_ever("angry");
    } catch (const boost::system::system_error&) {
      cancelled = true;
    }
    if (cancelled) throw std::runtime_error("in the middle of something");
  }

  void start_join() {
    asio::co_spawn(io_, tasks_.join(), [this](const std::exception_ptr& error) {
      joined_ = true;
      error_ = error;
    });
  }

  void run_what_is_ready() {
    io_.restart();
    io_.poll();
  }

  std::string error_message() const {
    if (!error_) return "none";
    try {
      std::rethrow_exception(error_);
    } catch (const std::exception& error) {
      return error.what();
    }
  }

  void TearDown() override {
    tasks_.cancel();
    run_what_is_ready();
  }
};

TEST_F(TaskGroupTest, JoinsAnEmptyGroupAtOnce) {
  start_join();
  run_what_is_ready();
  EXPECT_TRUE(joined_);
  EXPECT_EQ(error_message(), "none");
}

TEST_F(TaskGroupTest, JoinsWhenTheLastTaskHasEnded) {
  tasks_.spawn(say("one"));
  auto second = tasks_.spawn(wait_for_ever("two"));
  start_join();
  run_what_is_ready();
  EXPECT_FALSE(joined_);
  second.cancel();
  run_what_is_ready();
  EXPECT_TRUE(joined_);
  EXPECT_EQ(error_message(), "none") << "a cancelled task has not failed";
  EXPECT_THAT(log_, ElementsAre("one", "two cancelled"));
}

TEST_F(TaskGroupTest, CancelsTheOthersOnTheFirstErrorAndRethrowsIt) {
  tasks_.spawn(wait_for_ever("one"));
  tasks_.spawn(fail("disk on fire"));
  tasks_.spawn(wait_for_ever("three"));
  start_join();
  run_what_is_ready();
  EXPECT_TRUE(joined_);
  EXPECT_EQ(error_message(), "disk on fire");
  EXPECT_THAT(log_, UnorderedElementsAre("one cancelled", "three cancelled"));
}

TEST_F(TaskGroupTest, KeepsTheFirstErrorWhenOthersFailBecauseOfIt) {
  tasks_.spawn(fail_when_cancelled());
  tasks_.spawn(fail("disk on fire"));
  start_join();
  run_what_is_ready();
  EXPECT_EQ(error_message(), "disk on fire");
}

TEST_F(TaskGroupTest, ReportsATaskThatFailsWhileItIsCancelled) {
  tasks_.spawn(fail_when_cancelled());
  run_what_is_ready();
  tasks_.cancel();
  start_join();
  run_what_is_ready();
  EXPECT_EQ(error_message(), "in the middle of something");
}

TEST_F(TaskGroupTest, ReportsAnErrorThatCameBeforeTheJoin) {
  tasks_.spawn(fail("too early"));
  run_what_is_ready();
  start_join();
  run_what_is_ready();
  EXPECT_EQ(error_message(), "too early");
}

TEST_F(TaskGroupTest, CancelsAllAndJoinsWithoutError) {
  tasks_.spawn(wait_for_ever("one"));
  tasks_.spawn(wait_for_ever("two"));
  start_join();
  run_what_is_ready();
  tasks_.cancel();
  run_what_is_ready();
  EXPECT_TRUE(joined_);
  EXPECT_EQ(error_message(), "none");
  EXPECT_THAT(log_, UnorderedElementsAre("one cancelled", "two cancelled"));
}

TEST_F(TaskGroupTest, CancelsATaskThatIsSpawnedTooLateAtItsFirstWait) {
  tasks_.cancel();
  tasks_.spawn(wait_for_ever("late"));
  start_join();
  run_what_is_ready();
  EXPECT_TRUE(joined_);
  EXPECT_THAT(log_, ElementsAre("late cancelled"));
}

TEST_F(TaskGroupTest, CancelsATaskThatHasNotBegunYet) {
  tasks_.spawn(wait_for_ever("one"));
  tasks_.cancel();
  start_join();
  run_what_is_ready();
  EXPECT_TRUE(joined_);
  EXPECT_EQ(error_message(), "none");
}

TEST_F(TaskGroupTest, CancelsATaskThatIsSpawnedAfterAnotherHasFailed) {
  tasks_.spawn(fail("first"));
  run_what_is_ready();
  tasks_.spawn(wait_for_ever("late"));
  start_join();
  run_what_is_ready();
  EXPECT_TRUE(joined_);
  EXPECT_EQ(error_message(), "first");
}

TEST_F(TaskGroupTest, CancelsOneTaskByItsHandle) {
  auto one = tasks_.spawn(wait_for_ever("one"));
  auto two = tasks_.spawn(wait_for_ever("two"));
  run_what_is_ready();
  one.cancel();
  run_what_is_ready();
  EXPECT_THAT(log_, ElementsAre("one cancelled"));
  one.cancel();  // has ended: nothing happens
  run_what_is_ready();
  EXPECT_THAT(log_, ElementsAre("one cancelled"));
}

TEST_F(TaskGroupTest, AHandleMayOutliveItsTaskAndBeEmpty) {
  auto handle = tasks_.spawn(say("done"));
  run_what_is_ready();
  handle.cancel();
  TaskGroup::Handle{}.cancel();
  EXPECT_THAT(log_, ElementsAre("done"));
}

TEST(TaskGroupDeathTest, AbortsWhenItIsDestroyedBeforeItsTasks) {
  EXPECT_DEATH(
      {
        asio::io_context io;
        auto tasks = std::make_unique<TaskGroup>(io.get_executor());
        tasks->spawn([]() -> asio::awaitable<void> {
          asio::steady_timer timer{co_await asio::this_coro::executor,
                                   asio::steady_timer::time_point::max()};
          co_await timer.async_wait(asio::use_awaitable);
        }());
        io.poll();
        tasks.reset();
      },
      "");
}

}  // namespace
}  // namespace controller
