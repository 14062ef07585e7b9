#include "controller/work_queue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <random>
#include <vector>

namespace controller {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Clock = WorkQueueCore::Clock;

constexpr Clock::time_point kNow{1000h};

// --- the core

TEST(WorkQueueCore, HandsKeysOutInTheOrderTheyCame) {
  WorkQueueCore core;
  core.add("b");
  core.add("a");
  EXPECT_EQ(core.take(kNow), "b");
  EXPECT_EQ(core.take(kNow), "a");
  EXPECT_EQ(core.take(kNow), std::nullopt);
}

TEST(WorkQueueCore, HandsAKeyOutOnceHoweverOftenItWasAdded) {
  WorkQueueCore core;
  for (int i = 0; i < 3; ++i) core.add("a");
  EXPECT_EQ(core.take(kNow), "a");
  core.done("a");
  EXPECT_EQ(core.take(kNow), std::nullopt);
}

TEST(WorkQueueCore, HandsNoKeyToASecondWorkerWhileOneHasIt) {
  WorkQueueCore core;
  core.add("a");
  EXPECT_EQ(core.take(kNow), "a");
  core.add("a");
  core.add("a");
  EXPECT_EQ(core.take(kNow), std::nullopt);
  core.done("a");
  EXPECT_EQ(core.take(kNow), "a") << "once more, because it was added meanwhile";
  core.done("a");
  EXPECT_EQ(core.take(kNow), std::nullopt);
}

TEST(WorkQueueCore, HandsADelayedKeyOutWhenItIsDue) {
  WorkQueueCore core;
  core.add_at("a", kNow + 5s);
  EXPECT_EQ(core.take(kNow + 5s - 1ns), std::nullopt);
  EXPECT_EQ(core.next_due(), kNow + 5s);
  EXPECT_EQ(core.take(kNow + 5s), "a");
  EXPECT_EQ(core.next_due(), std::nullopt);
}

TEST(WorkQueueCore, CountsTheEarliestOfSeveralDelays) {
  for (const bool earlier_first : {true, false}) {
    WorkQueueCore core;
    core.add_at("a", kNow + (earlier_first ? 1s : 9s));
    core.add_at("a", kNow + (earlier_first ? 9s : 1s));
    EXPECT_EQ(core.next_due(), kNow + 1s);
    EXPECT_EQ(core.take(kNow + 1s), "a");
    core.done("a");
    EXPECT_EQ(core.take(kNow + 10s), std::nullopt) << "the later one is spent with it";
  }
}

TEST(WorkQueueCore, KnowsTheNextOfSeveralDelayedKeys) {
  WorkQueueCore core;
  core.add_at("a", kNow + 9s);
  core.add_at("b", kNow + 1s);
  EXPECT_EQ(core.next_due(), kNow + 1s);
  EXPECT_EQ(core.take(kNow + 1s), "b");
  EXPECT_EQ(core.next_due(), kNow + 9s);
}

TEST(WorkQueueCore, ForgetsADelayWhenTheKeyIsAddedAtOnce) {
  WorkQueueCore core;
  core.add_at("a", kNow + 5s);
  core.add("a");
  EXPECT_EQ(core.take(kNow), "a");
  core.done("a");
  EXPECT_EQ(core.take(kNow + 1h), std::nullopt);
}

TEST(WorkQueueCore, KeepsADelayedKeyThatIsDueWhileAWorkerHasIt) {
  WorkQueueCore core;
  core.add("a");
  EXPECT_EQ(core.take(kNow), "a");
  core.add_at("a", kNow + 1s);
  EXPECT_EQ(core.take(kNow + 2s), std::nullopt);
  core.done("a");
  EXPECT_EQ(core.take(kNow + 2s), "a");
}

TEST(WorkQueueCore, IsDueAtOnceWhenSomethingIsReady) {
  WorkQueueCore core;
  core.add_at("a", kNow + 5s);
  core.add("b");
  EXPECT_LT(core.next_due(), kNow);
}

TEST(WorkQueueCore, IsNotDueForAKeyThatAWorkerHas) {
  WorkQueueCore core;
  core.add("a");
  core.take(kNow);
  core.add("a");
  EXPECT_EQ(core.next_due(), std::nullopt) << "or workers would spin until it is done";
}

TEST(WorkQueueCore, CountsFailuresUntilTheyAreForgotten) {
  WorkQueueCore core;
  EXPECT_EQ(core.failures("a"), 0);
  core.count_failure("a");
  core.count_failure("a");
  EXPECT_EQ(core.failures("a"), 2);
  EXPECT_EQ(core.failures("b"), 0);
  core.forget("a");
  EXPECT_EQ(core.failures("a"), 0);
}

TEST(WorkQueueCore, IsNotConfusedByAKeyThatNobodyHas) {
  WorkQueueCore core;
  core.done("a");
  EXPECT_EQ(core.take(kNow), std::nullopt);
}

/// A queue that is used at random, and what is known about its keys without looking into it.
struct RandomUse {
  explicit RandomUse(std::uint32_t seed) : random(seed) {}

  std::mt19937 random;
  WorkQueueCore core;
  Clock::time_point now = kNow;
  std::set<std::string> wanted;  ///< added at once and not handed out since
  std::set<std::string> held;
  std::map<std::string, Clock::time_point> delayed;

  int below(int limit) { return std::uniform_int_distribution<int>{0, limit - 1}(random); }
  std::string key() { return std::string(1, static_cast<char>('a' + below(4))); }

  void step() {
    switch (below(5)) {
      case 0:
        return add(key());
      case 1:
        return add_later(key(), now + std::chrono::seconds{below(5)});
      case 2:
        return take();
      case 3:
        return give_back();
      default:
        now += std::chrono::seconds{below(3)};
    }
  }

  void add(const std::string& k) {
    core.add(k);
    wanted.insert(k);
    delayed.erase(k);
  }

  void add_later(const std::string& k, Clock::time_point when) {
    core.add_at(k, when);
    const auto [entry, inserted] = delayed.emplace(k, when);
    if (!inserted) entry->second = std::min(entry->second, when);
  }

  void take() {
    std::erase_if(delayed, [&](const auto& entry) {
      if (entry.second <= now) wanted.insert(entry.first);
      return entry.second <= now;
    });
    const bool any = std::ranges::any_of(wanted, [&](const auto& k) { return !held.contains(k); });
    const auto taken = core.take(now);
    ASSERT_EQ(taken.has_value(), any);
    if (!taken) return;
    EXPECT_TRUE(wanted.erase(*taken)) << *taken << " was not wanted";
    EXPECT_TRUE(held.insert(*taken).second) << *taken << " is in two hands";
  }

  void give_back() {
    if (held.empty()) return;
    core.done(*held.begin());
    held.erase(held.begin());
  }
};

TEST(WorkQueueCore, LosesNothingAndHandsNothingOutTwiceWhateverHappens) {
  for (std::uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    RandomUse use{seed};
    for (int i = 0; i < 200 && !testing::Test::HasFatalFailure(); ++i) use.step();
    if (testing::Test::HasFailure()) return;
  }
}

// --- waiting workers

class WorkQueueTest : public testing::Test {
 protected:
  boost::asio::io_context io_;
  WorkQueue queue_{io_.get_executor()};
  std::vector<std::string> popped_;
  int sent_home_ = 0;  ///< workers that got no key because the queue is stopped

  boost::asio::awaitable<void> pop_one() {
    if (auto key = co_await queue_.pop()) {
      popped_.push_back(*std::move(key));
    } else {
      ++sent_home_;
    }
  }
  void start_worker() { boost::asio::co_spawn(io_, pop_one(), boost::asio::detached); }

  void run() {
    io_.restart();
    io_.run_for(20s);
    ASSERT_TRUE(io_.stopped()) << "a worker still waits";
  }

  /// Runs what is ready, without waiting for any time to pass.
  void run_what_is_ready() {
    io_.restart();
    io_.poll();
  }
};

TEST_F(WorkQueueTest, GivesAWorkerWhatIsThere) {
  queue_.add("a");
  start_worker();
  run();
  EXPECT_THAT(popped_, ElementsAre("a"));
}

TEST_F(WorkQueueTest, WakesAWaitingWorkerWhenAKeyIsAdded) {
  start_worker();
  run_what_is_ready();
  EXPECT_THAT(popped_, IsEmpty());
  queue_.add("a");
  run_what_is_ready();
  EXPECT_THAT(popped_, ElementsAre("a"));
}

TEST_F(WorkQueueTest, WakesAWaitingWorkerWhenADelayedKeyIsDue) {
  start_worker();
  run_what_is_ready();
  queue_.add_after("a", 1ms);
  run();
  EXPECT_THAT(popped_, ElementsAre("a"));
}

TEST_F(WorkQueueTest, WakesAWorkerEarlierWhenAnEarlierKeyComes) {
  queue_.add_after("late", 1h);
  start_worker();
  run_what_is_ready();
  queue_.add_after("soon", 1ms);
  run();
  EXPECT_THAT(popped_, ElementsAre("soon"));
}

TEST_F(WorkQueueTest, GivesTwoWaitingWorkersTwoKeys) {
  start_worker();
  start_worker();
  run_what_is_ready();
  queue_.add("a");
  queue_.add("b");
  run_what_is_ready();
  EXPECT_THAT(popped_, UnorderedElementsAre("a", "b"));
}

TEST_F(WorkQueueTest, GivesTwoWaitingWorkersTwoDelayedKeys) {
  start_worker();
  start_worker();
  run_what_is_ready();
  queue_.add_after("a", 1ms);
  queue_.add_after("b", 2ms);
  run();
  EXPECT_THAT(popped_, UnorderedElementsAre("a", "b"));
}

TEST_F(WorkQueueTest, LetsWorkersSleepWhenThereIsNothingToDo) {
  // If workers woke each other, poll() would not return.
  for (int i = 0; i < 3; ++i) start_worker();
  queue_.add_after("a", 1h);
  run_what_is_ready();
  EXPECT_THAT(popped_, IsEmpty());
}

TEST_F(WorkQueueTest, GivesAKeyBackToAWorkerOnlyWhenItIsDone) {
  queue_.add("a");
  start_worker();
  run_what_is_ready();
  queue_.add("a");
  start_worker();
  run_what_is_ready();
  EXPECT_THAT(popped_, ElementsAre("a"));
  queue_.done("a");
  run_what_is_ready();
  EXPECT_THAT(popped_, ElementsAre("a", "a"));
}

TEST_F(WorkQueueTest, TriesAFailedKeyAgainAfterAWhile) {
  start_worker();
  queue_.add_rate_limited("a");
  run_what_is_ready();
  EXPECT_THAT(popped_, IsEmpty());
  run();
  EXPECT_THAT(popped_, ElementsAre("a"));
}

TEST_F(WorkQueueTest, SendsWorkersHomeWhenItIsStopped) {
  start_worker();
  run_what_is_ready();
  queue_.stop();
  queue_.add("a");
  start_worker();
  run();
  EXPECT_EQ(sent_home_, 2) << "the one that waited and the one that came later";
  EXPECT_THAT(popped_, IsEmpty());
}

TEST_F(WorkQueueTest, LosesNoKeyWithAWorkerThatIsCancelled) {
  boost::asio::cancellation_signal signal;
  boost::asio::co_spawn(io_, pop_one(),
                        boost::asio::bind_cancellation_slot(signal.slot(), boost::asio::detached));
  start_worker();
  run_what_is_ready();
  signal.emit(boost::asio::cancellation_type::terminal);
  queue_.add("a");
  run_what_is_ready();
  EXPECT_THAT(popped_, ElementsAre("a"));
}

}  // namespace
}  // namespace controller
