#include "controller/backoff.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

using namespace std::chrono_literals;

constexpr double kAlmostOne = 0.999'999;

TEST(Backoff, DoublesUpToHalfItsLimitBeforeTheJitter) {
  constexpr Backoff kBackoff{.first = 800ms, .limit = 30s};
  const struct {
    int attempt;
    std::chrono::milliseconds shortest;
  } kCases[] = {{0, 800ms},    {1, 1600ms}, {2, 3200ms}, {3, 6400ms},
                {4, 12'800ms}, {5, 15s},    {6, 15s},    {1'000'000, 15s}};
  for (const auto& [attempt, shortest] : kCases) {
    EXPECT_EQ(kBackoff.delay(attempt, 0.0), shortest) << attempt;
    EXPECT_EQ(kBackoff.delay(attempt, 0.5), shortest * 3 / 2) << attempt;
    EXPECT_LT(kBackoff.delay(attempt, kAlmostOne), shortest * 2) << attempt;
  }
}

TEST(Backoff, NeverExceedsItsLimit) {
  for (const Backoff backoff :
       {Backoff{}, Backoff{.first = 1ms, .limit = 2ms}, Backoff{.first = 1h, .limit = 1s},
        Backoff{.first = 0ms, .limit = 0ms}}) {
    for (const int attempt : {0, 1, 5, 63, 64, 1'000'000}) {
      EXPECT_LE(backoff.delay(attempt, kAlmostOne), backoff.limit) << attempt;
      EXPECT_GE(backoff.delay(attempt, 0.0), 0ms) << attempt;
    }
  }
}

TEST(Backoff, TakesANegativeAttemptForTheFirst) {
  EXPECT_EQ(Backoff{}.delay(-1, 0.0), Backoff{}.delay(0, 0.0));
}

TEST(RandomFraction, IsAtLeastZeroAndBelowOneAndNotConstant) {
  const auto first = random_fraction();
  bool differs = false;
  for (int i = 0; i < 1000; ++i) {
    const auto value = random_fraction();
    EXPECT_GE(value, 0.0);
    EXPECT_LT(value, 1.0);
    differs |= value != first;
  }
  EXPECT_TRUE(differs);
}

}  // namespace
}  // namespace controller
