#include "reconcilers/event_limiter.hpp"

#include <gtest/gtest.h>

namespace reconcilers {
namespace {

using namespace std::chrono_literals;
using Verdict = EventLimiter::Verdict;

constexpr EventLimiter::TimePoint kStart{24h};

EventNote saying(std::string note, std::string topic = {}) {
  return {.reason = "DrainBlocked",
          .action = "Wait",
          .note = std::move(note),
          .topic = std::move(topic)};
}

TEST(EventLimiter, TellsTheSameOnceInFiveMinutes) {
  EventLimiter limiter;
  EXPECT_EQ(limiter.judge(saying("a"), kStart), Verdict::Tell);
  EXPECT_EQ(limiter.judge(saying("a"), kStart + 299s), Verdict::Repetition);
  EXPECT_EQ(limiter.judge(saying("b"), kStart + 299s), Verdict::Tell);
  EXPECT_EQ(limiter.judge(saying("a"), kStart + 300s), Verdict::Tell);
}

TEST(EventLimiter, TakesOtherWordsOnTheSameTopicForARepetition) {
  EventLimiter limiter;
  EXPECT_EQ(limiter.judge(saying("pod a", "PodDisruptionBudget"), kStart), Verdict::Tell);
  EXPECT_EQ(limiter.judge(saying("pod b", "PodDisruptionBudget"), kStart), Verdict::Repetition);
  EXPECT_EQ(limiter.judge(saying("pod b", "UnmanagedPod"), kStart), Verdict::Tell);
}

TEST(EventLimiter, DoesNotRepeatWhatTheProcessBeforeHasTold) {
  EventLimiter limiter;
  limiter.assume_told({saying("pod a", "PodDisruptionBudget")}, kStart);
  EXPECT_EQ(limiter.judge(saying("pod b", "PodDisruptionBudget"), kStart), Verdict::Repetition);
  EXPECT_EQ(limiter.judge(saying("pod b", "PodDisruptionBudget"), kStart + 300s), Verdict::Tell);
}

TEST(EventLimiter, LetsTwentyFiveThroughAndThenOneEveryFiveMinutesButAlwaysTheEnd) {
  EventLimiter limiter;
  int next = 0;
  const auto judge = [&](auto time) {
    return limiter.judge(saying(std::to_string(next++)), kStart + time);
  };
  for (int i = 0; i < 25; ++i) EXPECT_EQ(judge(0s), Verdict::Tell) << i;
  EXPECT_EQ(judge(0s), Verdict::TooMany);
  auto end = saying("removed");
  end.is_end = true;
  EXPECT_EQ(limiter.judge(end, kStart), Verdict::Tell);
  EXPECT_EQ(judge(299s), Verdict::TooMany);
  EXPECT_EQ(judge(300s), Verdict::Tell);
  EXPECT_EQ(judge(301s), Verdict::TooMany);
}

}  // namespace
}  // namespace reconcilers
