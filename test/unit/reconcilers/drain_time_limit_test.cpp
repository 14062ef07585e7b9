#include "reconcilers/drain_time_limit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr auto kLimit = 600s;

/// A drain with a limit of 600 s that began `elapsed` ago.
Observation draining(std::vector<crd::Pod> pods, std::chrono::seconds elapsed,
                     crd::DrainTimeoutAction action = crd::DrainTimeoutAction::Delete) {
  auto seen = cordoned_with(std::move(pods));
  seen.removal.spec.drain.timeout_seconds = kLimit.count();
  seen.removal.spec.drain.on_timeout = action;
  set_condition(seen.removal, condition::kDrained, crd::ConditionStatus::Unknown, "Draining",
                kNow - elapsed);
  for (const auto& pod : *known(seen.pods)) {
    seen.refusals[pod.meta.uid] = {
        .reason = "PodDisruptionBudget", .message = "needs 3", .pdb = "shop/web", .retry_at = kNow};
  }
  return seen;
}

crd::Pod with_grace(const std::string& name, std::int64_t seconds) {
  auto pod = make_pod(name);
  pod.grace_period_seconds = seconds;
  return pod;
}

std::vector<std::string> actions_after(std::chrono::seconds elapsed, const crd::Pod& pod) {
  return actions_of(decide_at(draining({pod}, elapsed)));
}

TEST(DrainTimeLimit, GivesEachPodItsFullGraceBeforeTheLimit) {
  const struct {
    std::int64_t grace;
    std::chrono::seconds elapsed;
    std::string action;
  } kCases[] = {
      {30, 569s, "Evict shop/web-1 (pod-web-1)"},
      {30, 570s, "Evict shop/web-1 (pod-web-1) with grace 30 past budgets"},
      {30, 590s, "Evict shop/web-1 (pod-web-1) with grace 10 past budgets"},
      {30, 600s, "Evict shop/web-1 (pod-web-1) with grace 1 past budgets"},
      {30, 610s, "Evict shop/web-1 (pod-web-1) with grace 1 past budgets"},
      {0, 598s, "Evict shop/web-1 (pod-web-1) with grace 1"},
      {0, 599s, "Evict shop/web-1 (pod-web-1) with grace 1 past budgets"},
      // Longer than half the limit: budgets are respected in the first half.
      {7200, 299s, "Evict shop/web-1 (pod-web-1)"},
      {7200, 300s, "Evict shop/web-1 (pod-web-1) with grace 300 past budgets"},
  };
  for (const auto& [grace, elapsed, action] : kCases) {
    EXPECT_THAT(actions_after(elapsed, with_grace("web-1", grace)), ElementsAre(action))
        << "grace " << grace << " s, after " << elapsed.count() << " s";
  }
}

TEST(DrainTimeLimit, BeginsAnewWhenTheClockWasSetForward) {
  const auto seen = draining({with_grace("web-1", 30)}, 10h);
  const auto decision = decide_at(seen, {kNow, kNow});
  EXPECT_THAT(actions_of(decision), ElementsAre("Evict shop/web-1 (pod-web-1)"));
  EXPECT_EQ(decision.status.conditions.find(condition::kDrained)->last_transition_time, kNow);
  EXPECT_FALSE(decision.status.is_terminal());
}

TEST(DrainTimeLimit, BeginsAnewWhenTheClockWasSetBack) {
  const auto decision = decide_at(draining({with_grace("web-1", 30)}, -10h));
  EXPECT_EQ(decision.status.conditions.find(condition::kDrained)->last_transition_time, kNow);
}

TEST(DrainTimeLimit, LooksAgainWhenThePodsTimeComes) {
  auto seen = draining({with_grace("web-1", 30)}, 500s);
  seen.refusals["pod-web-1"].retry_at = kNow + 100s;
  EXPECT_EQ(decide_at(seen).requeue, 70s);
}

TEST(DrainTimeLimit, DoesNotWaitForTheNextEvictionButForWhatHoldsUpADeletion) {
  auto seen = draining({with_grace("web-1", 30)}, 570s);
  auto& refusal = seen.refusals["pod-web-1"];
  refusal.retry_at = kNow + 25s;
  EXPECT_THAT(actions_of(decide_at(seen)),
              ElementsAre("Evict shop/web-1 (pod-web-1) with grace 30 past budgets"));
  refusal.reason = "EvictionFailed";
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty());
  seen.refusals.clear();
  seen.accepted["pod-web-1"] = kNow + 5s;
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty()) << "it was told already";
}

TEST(DrainTimeLimit, UsesTheGraceOfTheSpec) {
  auto seen = draining({with_grace("web-1", 7200)}, 595s);
  seen.removal.spec.drain.grace_period_seconds = 5;
  EXPECT_THAT(actions_of(decide_at(seen)),
              ElementsAre("Evict shop/web-1 (pod-web-1) with grace 5 past budgets"));
}

TEST(DrainTimeLimit, ShortensAGraceThatWouldOutlastItButOnlyWhenItIsOver) {
  const auto late = terminating(with_grace("web-1", 300), kNow + 200s);
  EXPECT_THAT(actions_after(500s, late), IsEmpty());
  EXPECT_THAT(actions_after(600s, late),
              ElementsAre("Evict shop/web-1 (pod-web-1) with grace 1 past budgets"));
  EXPECT_THAT(actions_after(600s, terminating(with_grace("web-1", 300), kNow + 1s)), IsEmpty())
      << "it has been shortened already";
}

TEST(DrainTimeLimit, DeletesPodsOfAllWavesAndThoseThatWouldFinishByThemselves) {
  auto critical = with_grace("dns-1", 30);
  critical.priority_class = "system-cluster-critical";
  auto job = make_pod("job-1", "Job", "job");
  job.meta.labels["kind"] = "batch";
  auto seen = draining({critical, job, with_grace("web-1", 30)}, 580s);
  seen.removal.spec.drain.wait_for_completion.emplace().match_labels["kind"] = "batch";
  EXPECT_THAT(actions_of(decide_at(seen)),
              UnorderedElementsAre("Evict shop/dns-1 (pod-dns-1) with grace 20 past budgets",
                                   "Evict shop/job-1 (pod-job-1) with grace 20 past budgets",
                                   "Evict shop/web-1 (pod-web-1) with grace 20 past budgets"));
}

TEST(DrainTimeLimit, DoesNotDeleteAPodOnlyToHaveItStartedHereAgain) {
  auto pod = with_grace("agent-1", 30);
  pod.meta.creation_timestamp = kNow - 10s;
  const auto decision = decide_at(draining({pod}, 590s));
  EXPECT_THAT(actions_of(decision), IsEmpty());
  ASSERT_EQ(decision.status.blockers.size(), 1U);
  EXPECT_EQ(decision.status.blockers.front().reason, "BypassesScheduler");
}

TEST(DrainTimeLimit, DeletesNothingThatNobodyAgreedTo) {
  const auto seen = draining({make_naked_pod("debug"), make_pod("web-1")}, 590s);
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty());
  const auto decision = decide_at(seen, kNow + 10s);
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(summary(decision), "False/DrainTimedOut");
}

TEST(DrainTimeLimit, EndsTheRemovalWhenPodsDoNotGoEvenThen) {
  auto pod = terminating(with_grace("web-1", 30), kNow - 1s);
  pod.meta.finalizers = {"example.com/hold"};
  EXPECT_EQ(summary(decide_at(draining({pod}, 629s))), "Unknown/Draining");
  const auto decision = decide_at(draining({pod}, 630s));
  EXPECT_EQ(summary(decision), "False/DrainTimedOut");
  EXPECT_THAT(message_of(decision), HasSubstr("After 600 s 1 pod had not left the node"));
}

TEST(DrainTimeLimit, OnlyEndsTheRemovalUnlessTheUserWantsMore) {
  const auto seen = draining({with_grace("web-1", 30)}, 599s, crd::DrainTimeoutAction::Fail);
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Evict shop/web-1 (pod-web-1)"));
  const auto decision = decide_at(seen, kNow + 1s);
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(summary(decision), "False/DrainTimedOut");
}

TEST(DrainTimeLimit, IsNoneWhenItIsZero) {
  auto seen = draining({with_grace("web-1", 30)}, 100h);
  seen.removal.spec.drain.timeout_seconds = 0;
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Evict shop/web-1 (pod-web-1)"));
}

}  // namespace
}  // namespace reconcilers
