#include "controller/lease.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace controller {
namespace {

using namespace std::chrono_literals;
using Claim = LeaseRules::Claim;

const BootClock::time_point kStart{1000s};
const crd::TimePoint kWallTime{1'700'000'000s};

Lease held_by(std::string holder, std::string renewed = "r1", std::int64_t duration = 15) {
  return {.resource_version = "7",
          .holder = std::move(holder),
          .duration_seconds = duration,
          .acquire_time = "a1",
          .renew_time = std::move(renewed),
          .transitions = 3};
}

LeaseRules candidate() { return {"me", LeaseDurations{}}; }

TEST(LeaseRules, TakesALeaseThatIsNotThereOrWasGivenUp) {
  auto rules = candidate();
  rules.observe(std::nullopt, kStart);
  EXPECT_EQ(rules.may_claim(kStart), Claim::Create);
  rules.observe(held_by("", "r2", 1), kStart);
  EXPECT_EQ(rules.may_claim(kStart), Claim::Update);
}

TEST(LeaseRules, WaitsUntilTheRecordHasNotChangedForAsLongAsItSaysByItsOwnClock) {
  auto rules = candidate();
  rules.observe(held_by("other"), kStart);
  EXPECT_EQ(rules.may_claim(kStart + 14999ms), Claim::No);
  rules.observe(held_by("other"), kStart + 10s);
  EXPECT_EQ(rules.may_claim(kStart + 15s), Claim::Update) << "the same record is no sign of life";
  rules.observe(held_by("other", "r2"), kStart + 14s);
  EXPECT_EQ(rules.may_claim(kStart + 28s), Claim::No);
  EXPECT_EQ(rules.may_claim(kStart + 29s), Claim::Update);
}

TEST(LeaseRules, ObeysALongerLeaseAndMistrustsAShorterOrAbsurdOne) {
  const struct {
    std::int64_t duration;
    std::chrono::seconds expected;
  } kCases[] = {{40, 40s}, {3600, 3600s}, {3601, 15s}, {1'000'000'000'000, 15s},
                {1, 15s},  {0, 15s},      {-1, 15s}};
  for (const auto& [duration, expected] : kCases) {
    auto rules = candidate();
    rules.observe(held_by("other", "r1", duration), kStart);
    EXPECT_EQ(rules.may_claim(kStart + expected - 1ms), Claim::No) << duration;
    EXPECT_EQ(rules.may_claim(kStart + expected), Claim::Update) << duration;
  }
}

TEST(LeaseRules, WaitsOutTheHolderOfALeaseThatAUserDeletedOrEmptied) {
  for (const auto& after : {std::optional<Lease>{}, std::optional{held_by("")}}) {
    auto rules = candidate();
    rules.observe(held_by("other"), kStart);
    rules.observe(after, kStart + 1s);
    EXPECT_EQ(rules.may_claim(kStart + 14s), Claim::No) << after.has_value();
    EXPECT_NE(rules.may_claim(kStart + 16s), Claim::No) << after.has_value();
  }
}

TEST(LeaseRules, HoldsForTheRenewDeadlineFromWhenTheRenewalWasSent) {
  auto rules = candidate();
  rules.observe(std::nullopt, kStart);
  EXPECT_FALSE(rules.holds(kStart));
  rules.written(held_by("me"), kStart, false);
  EXPECT_TRUE(rules.holds(kStart + 9999ms));
  EXPECT_FALSE(rules.holds(kStart + 10s));
  rules.written(held_by("me", "r2"), kStart + 2s, false);
  EXPECT_TRUE(rules.holds(kStart + 11s));
}

TEST(LeaseRules, LetsNothingBeginThatMightEndTooLate) {
  auto rules = candidate();
  rules.written(held_by("me"), kStart, false);
  EXPECT_TRUE(rules.may_act(kStart + 4999ms));
  EXPECT_FALSE(rules.may_act(kStart + 5s));
}

TEST(LeaseRules, ActsOnANewLeaseOnlyWhenAFormerHolderWouldHaveNoticed) {
  auto rules = candidate();
  rules.observe(std::nullopt, kStart);
  rules.written(held_by("me"), kStart, true);
  EXPECT_TRUE(rules.holds(kStart + 9s));
  EXPECT_FALSE(rules.may_act(kStart + 1s));
  rules.written(held_by("me", "r2"), kStart + 9s, false);
  EXPECT_TRUE(rules.may_act(kStart + 10s));
  rules.written(held_by("me", "r3"), kStart + 11s, true);
  EXPECT_TRUE(rules.may_act(kStart + 12s)) << "its own lease was deleted and made again";
}

TEST(LeaseRules, LosesALeaseThatNamesAnother) {
  auto rules = candidate();
  rules.written(held_by("me"), kStart, false);
  rules.observe(held_by("other"), kStart + 1s);
  EXPECT_FALSE(rules.holds(kStart + 1s));
  EXPECT_EQ(rules.may_claim(kStart + 1s), Claim::No);
}

TEST(LeaseRules, WritesWhatOthersExpect) {
  auto rules = candidate();
  rules.observe(held_by("other"), kStart);
  const auto taken = rules.next_record(kWallTime);
  EXPECT_EQ(taken.holder, "me");
  EXPECT_EQ(taken.duration_seconds, 15);
  EXPECT_EQ(taken.acquire_time, "2023-11-14T22:13:20.000000Z");
  EXPECT_EQ(taken.renew_time, taken.acquire_time);
  EXPECT_EQ(taken.transitions, 4);
  EXPECT_EQ(taken.resource_version, "7");
  rules.written(taken, kStart, false);
  const auto renewed = rules.next_record(kWallTime + 2s);
  EXPECT_EQ(renewed.acquire_time, taken.acquire_time);
  EXPECT_EQ(renewed.renew_time, "2023-11-14T22:13:22.000000Z");
  EXPECT_EQ(renewed.transitions, 4);
  const auto given_up = rules.released_record(kWallTime + 3s);
  EXPECT_EQ(given_up.holder, "");
  EXPECT_EQ(given_up.duration_seconds, 1);
}

/// An API server with one Lease, whom candidates ask with some delay, and who are stopped and
/// continued at will, while a user edits and deletes the Lease.
class Cluster {
 public:
  explicit Cluster(unsigned seed) : dice_(seed) {
    for (const auto* name : {"a", "b", "c"}) {
      candidates_.push_back({.name = name, .rules = LeaseRules{name, LeaseDurations{}}});
    }
  }

  void run() {
    for (int tick = 0; tick < 3000; ++tick) {  // 5 minutes
      now_ += 100ms;
      if (one_in(200)) let_a_user_touch_the_lease();
      for (auto& candidate : candidates_) step(candidate);
      check();
    }
    EXPECT_GT(acting_ticks_, 300) << "hardly anybody ever leads";
  }

 private:
  struct Candidate {
    std::string name;
    LeaseRules rules;
    BootClock::time_point next{};     ///< of its next step
    BootClock::time_point stopped{};  ///< until when
    std::optional<Lease> sent{};      ///< a write on its way
    bool creates = false;
    BootClock::time_point sent_at{};
    bool dead = false;
  };

  bool one_in(int n) { return std::uniform_int_distribution{1, n}(dice_) == 1; }
  std::chrono::milliseconds up_to(std::chrono::milliseconds limit) {
    return std::chrono::milliseconds{
        std::uniform_int_distribution<std::int64_t>{0, limit.count()}(dice_)};
  }
  crd::TimePoint wall_time() {
    return kWallTime + std::chrono::duration_cast<std::chrono::milliseconds>(up_to(20s));
  }

  void let_a_user_touch_the_lease() {
    if (!lease_) return;
    switch (std::uniform_int_distribution{0, 4}(dice_)) {
      case 0:
        return lease_.reset();
      case 1:
        lease_->holder.clear();
        break;
      case 2:
        lease_->holder = "nobody-there";
        break;
      case 3:
        lease_->duration_seconds = std::array<std::int64_t, 4>{0, -5, 2, 20}[dice_() % 4];
        break;
      default:
        lease_->renew_time = "yesterday";
    }
    lease_->resource_version = next_version();
  }

  std::string next_version() { return std::to_string(++version_); }

  void step(Candidate& candidate) {
    if (one_in(600)) candidate.stopped = now_ + up_to(30s);
    if (now_ < candidate.stopped || now_ < candidate.next) return;
    const bool held = candidate.rules.held_until().has_value();
    if (held && !candidate.rules.holds(now_)) {  // the process ends, and another one starts
      candidate = {.name = candidate.name + "'", .rules = LeaseRules{candidate.name + "'", {}}};
      candidate.next = now_ + up_to(3s);
      return;
    }
    if (candidate.sent) {
      arrive(candidate);
      candidate.next = now_ + (held ? 2s : 2s + up_to(2400ms));
      return;
    }
    if (!held || one_in(3)) candidate.rules.observe(lease_, now_);
    const auto claim = candidate.rules.may_claim(now_);
    if (claim != Claim::No) {
      candidate.sent = candidate.rules.next_record(wall_time());
      candidate.creates = claim == Claim::Create;
      candidate.sent_at = now_;
    }
    candidate.next = now_ + (candidate.sent ? up_to(3s) : 2s + up_to(2400ms));
  }

  void arrive(Candidate& candidate) {
    auto record = *std::move(candidate.sent);
    candidate.sent.reset();
    const bool fits =
        candidate.creates ? !lease_ : lease_ && lease_->resource_version == record.resource_version;
    if (!fits) return candidate.rules.observe(lease_, now_);
    record.resource_version = next_version();
    lease_ = record;
    if (one_in(10)) return;  // the answer is lost
    candidate.rules.written(std::move(record), candidate.sent_at, candidate.creates);
  }

  void check() {
    std::vector<std::string> acting;
    for (const auto& candidate : candidates_) {
      if (now_ >= candidate.stopped && candidate.rules.may_act(now_)) {
        acting.push_back(candidate.name);
      }
    }
    ASSERT_LE(acting.size(), 1U) << testing::PrintToString(acting) << " act at once";
    if (!acting.empty()) ++acting_ticks_;
  }

  std::mt19937 dice_;
  BootClock::time_point now_ = kStart;
  std::optional<Lease> lease_;
  int version_ = 0;
  std::vector<Candidate> candidates_;
  int acting_ticks_ = 0;
};

TEST(LeaseRules, NeverLetTwoActWhateverHappensToThemAndToTheLease) {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(seed);
    Cluster{seed}.run();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace controller
