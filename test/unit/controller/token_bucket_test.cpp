#include "controller/token_bucket.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

using namespace std::chrono_literals;

constexpr TokenBucket::TimePoint kStart{1h};

TEST(TokenBucketTest, LetsABurstThroughAtOnceAndTheRestInTurn) {
  TokenBucket bucket(10, 3);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.take(kStart), 0s);
  EXPECT_EQ(bucket.take(kStart), 100ms);
  EXPECT_EQ(bucket.take(kStart), 200ms);
}

TEST(TokenBucketTest, FillsWithTimeUpToTheBurstAndNoFurther) {
  TokenBucket bucket(10, 3);
  for (int i = 0; i < 3; ++i) bucket.take(kStart);
  EXPECT_EQ(bucket.take(kStart + 100ms), 0s);
  EXPECT_EQ(bucket.take(kStart + 100ms), 100ms);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(bucket.take(kStart + 24h), 0s);
  EXPECT_EQ(bucket.take(kStart + 24h), 100ms);
}

}  // namespace
}  // namespace controller
