#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "test/unit/reconcilers/builders.hpp"

/// decide() while pods leave a Ready node.
namespace reconcilers {
namespace {

using testing::Each;
using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

crd::Pod with_empty_dir(crd::Pod pod) {
  pod.empty_dir = true;
  return pod;
}

crd::Pod with_finalizer(crd::Pod pod) {
  pod.meta.finalizers = {"example.com/hold"};
  return pod;
}

Refusal refused_by_budget(crd::TimePoint retry_at) {
  return {.reason = "PodDisruptionBudget",
          .message = "The disruption budget web needs 3 healthy pods and has 3 currently",
          .pdb = "web",
          .retry_at = retry_at};
}

std::vector<std::string> blockers_of(const Decision& decision) {
  std::vector<std::string> texts;
  for (const auto& blocker : decision.status.blockers) {
    texts.push_back(blocker.pod + " " + blocker.reason);
  }
  return texts;
}

std::vector<crd::Pod> naked_pods(std::size_t count) {
  std::vector<crd::Pod> pods;
  for (std::size_t i = 100; i < 100 + count; ++i) {
    pods.push_back(make_naked_pod("p" + std::to_string(i)));
  }
  return pods;
}

TEST(Drain, AsksForThePodsFirst) {
  auto seen = cordoned_with({});
  seen.pods.reset();
  EXPECT_THAT(decide_at(seen).needs, ElementsAre(FactName::Pods));
}

TEST(Drain, EvictsWhatHasToLeaveAndLeavesTheRest) {
  const auto decision = decide_at(cordoned_with(
      {make_pod("proxy-1", "DaemonSet", "proxy"), make_mirror_pod("static"), make_pod("web-1"),
       terminating(make_pod("web-2")), make_pod("web-3"), make_pod("db-0", "StatefulSet", "db")}));
  EXPECT_THAT(actions_of(decision),
              ElementsAre("Evict shop/web-1 (pod-web-1)", "Evict shop/web-3 (pod-web-3)",
                          "Evict shop/db-0 (pod-db-0)"));
  EXPECT_EQ(summary(decision), "Unknown/Draining");
  EXPECT_EQ(word(decision, condition::kDrained), "Unknown/Draining");
}

TEST(Drain, SendsNoEvictionWhenTheNodeIsNotReady) {
  for (const auto ready : {crd::ConditionStatus::False, crd::ConditionStatus::Unknown}) {
    auto seen = cordoned_with({make_pod("web-1")});
    node_of(seen).ready = ready;
    const auto decision = decide_at(seen);
    EXPECT_THAT(actions_of(decision), IsEmpty());
    EXPECT_EQ(summary(decision), "Unknown/NodeNotReady");
  }
}

TEST(Drain, EvictsWithTheGraceOfTheSpec) {
  auto seen = cordoned_with({make_pod("web-1")});
  seen.removal.spec.drain.grace_period_seconds = 7;
  EXPECT_THAT(actions_of(decide_at(seen)),
              ElementsAre("Evict shop/web-1 (pod-web-1) with grace 7"));
}

TEST(Drain, NeverEvictsWithoutAnyGrace) {
  auto pod = make_pod("web-1");
  pod.grace_period_seconds = 0;
  EXPECT_THAT(actions_of(decide_at(cordoned_with({pod}))),
              ElementsAre("Evict shop/web-1 (pod-web-1) with grace 1"));
}

TEST(Drain, DeletesInsteadOfEvictingWhenTheUserWantsIt) {
  auto seen = cordoned_with({make_pod("web-1")});
  seen.removal.spec.drain.disable_eviction = true;
  EXPECT_THAT(actions_of(decide_at(seen)),
              ElementsAre("Evict shop/web-1 (pod-web-1) past budgets"));
}

TEST(Drain, LetsOneWaveOfPodsLeaveAfterTheOther) {
  auto dns = make_pod("dns-1");
  dns.priority_class = "system-cluster-critical";
  auto csi = make_pod("csi-1");
  csi.priority_class = "system-node-critical";
  const auto operator_pod = make_pod("operator");
  Policy policy;
  policy.own_pod = "shop/operator";
  std::vector pods{csi, dns, operator_pod, make_pod("web-1")};
  const auto told = [&] { return actions_of(decide(cordoned_with(pods), policy, kNow)); };
  EXPECT_THAT(told(), ElementsAre("Evict shop/web-1 (pod-web-1)"));
  pods.back() = terminating(pods.back());
  EXPECT_THAT(told(), IsEmpty()) << "the first wave is not gone yet";
  pods.pop_back();
  EXPECT_THAT(told(), ElementsAre("Evict shop/dns-1 (pod-dns-1)"));
  std::erase_if(pods, [](const crd::Pod& pod) { return pod.meta.name == "dns-1"; });
  EXPECT_THAT(told(), ElementsAre("Evict shop/csi-1 (pod-csi-1)"));
  pods = {operator_pod};
  EXPECT_THAT(told(), ElementsAre("Evict shop/operator (pod-operator)"));
}

TEST(Drain, NamesPodsThatAreLeftToFinishAndTellsTheOthersToLeave) {
  auto job = make_pod("job-1", "Job", "job");
  job.meta.labels["kind"] = "batch";
  auto seen = cordoned_with({job, make_pod("web-1")});
  seen.removal.spec.drain.wait_for_completion.emplace().match_labels["kind"] = "batch";
  const auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), ElementsAre("Evict shop/web-1 (pod-web-1)"));
  EXPECT_THAT(blockers_of(decision), ElementsAre("shop/job-1 WaitForCompletion"));
}

TEST(Drain, NamesAPodThatComesBackInsteadOfEvictingItForEver) {
  auto pod = make_pod("agent-1");
  pod.tolerations = {{.key = {}, .any_value = true, .value = {}, .effect = {}}};
  pod.meta.creation_timestamp = kNow - 10s;
  const auto decision = decide_at(cordoned_with({pod}));
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_THAT(blockers_of(decision), ElementsAre("shop/agent-1 ToleratesCordon"));
}

TEST(Drain, IsOverWhenOnlyPodsAreLeftThatPodSelectorLeavesOut) {
  auto seen = cordoned_with({make_pod("db-1")});
  seen.removal.spec.drain.pod_selector.emplace().match_labels["app"] = "web";
  const auto decision = decide_at(seen);
  EXPECT_EQ(word(decision, condition::kDrained), "True/Drained");
  EXPECT_THAT(actions_of(decision), IsEmpty()) << "the Node would take it along";
  EXPECT_EQ(summary(decision), "Unknown/PodsLeftOut");
  EXPECT_EQ(word(decision, condition::kNodeDeleted), "none") << "nothing is about to be deleted";
  EXPECT_THAT(blockers_of(decision), ElementsAre("shop/db-1 NotSelected"));
  seen.removal.spec.delete_node = false;
  EXPECT_EQ(summary(decide_at(seen)), "True/Drained");
}

TEST(Drain, PassesWhenOnlyPodsOfTheNodeItselfAreLeft) {
  auto seen = cordoned_with({make_pod("proxy-1", "DaemonSet", "proxy"), make_mirror_pod("static")});
  seen.removal.status.blockers = {
      {"shop/web-1", "pod-web-1", "PodDisruptionBudget", "m", "", kNow}};
  const auto decision = decide_at(seen);
  EXPECT_EQ(word(decision, condition::kDrained), "True/Drained");
  EXPECT_THAT(decision.status.blockers, IsEmpty());
  EXPECT_EQ(decision.status.pods, (crd::PodCounts{.skipped = 2}));
}

// --- consent

TEST(Drain, DisturbsNothingWhileSomebodyHasToDecideAboutAPod) {
  const auto decision = decide_at(cordoned_with(
      {with_empty_dir(make_pod("cache-1")), make_naked_pod("debug"), make_pod("web-1")}));
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(summary(decision), "Unknown/DrainBlocked");
  EXPECT_THAT(blockers_of(decision),
              ElementsAre("shop/cache-1 EmptyDirData", "shop/debug UnmanagedPod"));
  EXPECT_THAT(decision.status.blockers, Each(Field(&crd::Blocker::since, kNow)));
}

TEST(Drain, GoesOnWithConsent) {
  auto seen = cordoned_with({with_empty_dir(make_pod("cache-1")), make_naked_pod("debug")});
  seen.removal.spec.drain.force = true;
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty());
  seen.removal.spec.drain.delete_empty_dir_data = true;
  const auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), SizeIs(2));
  EXPECT_THAT(decision.status.blockers, IsEmpty());
}

// --- refusals and pauses

TEST(Drain, DoesNotAskAgainBeforeARefusalHasRunOut) {
  auto seen = cordoned_with({make_pod("web-1")});
  seen.refusals["pod-web-1"] = refused_by_budget(kNow + 1500ms);
  const auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(decision.requeue, 1500ms);
  EXPECT_EQ(summary(decision), "Unknown/DrainBlocked");
  EXPECT_THAT(decision.status.blockers,
              ElementsAre(crd::Blocker{
                  .pod = "shop/web-1",
                  .uid = "pod-web-1",
                  .reason = "PodDisruptionBudget",
                  .message = "The disruption budget web needs 3 healthy pods and has 3 currently",
                  .pdb = "web",
                  .since = kNow}));
}

TEST(Drain, AsksAgainWhenTheClockWasSetBackAfterARefusal) {
  auto seen = cordoned_with({make_pod("web-1"), make_pod("web-2")});
  seen.refusals["pod-web-1"] = refused_by_budget(kNow + 62s);
  seen.accepted["pod-web-2"] = kNow + 1h;
  EXPECT_THAT(actions_of(decide_at(seen)),
              ElementsAre("Evict shop/web-1 (pod-web-1)", "Evict shop/web-2 (pod-web-2)"));
}

TEST(Drain, AsksAgainWhenARefusalHasRunOutAndStillShowsIt) {
  auto seen = cordoned_with({make_pod("web-1")});
  seen.refusals["pod-web-1"] = refused_by_budget(kNow);
  const auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), ElementsAre("Evict shop/web-1 (pod-web-1)"));
  EXPECT_THAT(blockers_of(decision), ElementsAre("shop/web-1 PodDisruptionBudget"));
}

TEST(Drain, EvictsTheOthersWhileOnePodIsRefused) {
  auto seen = cordoned_with({make_pod("web-1"), make_pod("web-2")});
  seen.refusals["pod-web-1"] = refused_by_budget(kNow + 1s);
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Evict shop/web-2 (pod-web-2)"));
}

TEST(Drain, TakesARefusalOfAnotherPodOfThatNameForNothing) {
  auto seen = cordoned_with({make_pod("web-1")});
  seen.refusals["pod-web-0"] = refused_by_budget(kNow + 1s);
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Evict shop/web-1 (pod-web-1)"));
}

TEST(Drain, DoesNotRepeatAnEvictionThatWasAcceptedAMomentAgo) {
  auto seen = cordoned_with({make_pod("web-1")});
  seen.accepted["pod-web-1"] = kNow + 5s;
  auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(decision.requeue, 5s);
  EXPECT_THAT(actions_of(decide_at(seen, kNow + 5s)), ElementsAre("Evict shop/web-1 (pod-web-1)"));
}

TEST(Drain, IgnoresWhatWasClearedOnTheDeadNodePath) {
  auto seen = cordoned_with({make_pod("web-1")});
  seen.cleared["pod-web-1"] = kNow + 5s;
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Evict shop/web-1 (pod-web-1)"));
}

TEST(Drain, SaysInTheSummaryThatTheLastAttemptFailed) {
  auto seen = cordoned_with({make_pod("web-1")});
  seen.action_error = "connection refused";
  EXPECT_EQ(message_of(decide_at(seen)),
            "Waiting for 1 pod to leave: shop/web-1 The last attempt failed: connection refused");
}

// --- terminating pods

TEST(Drain, WaitsForTerminatingPodsUntilTheyAreOverdue) {
  auto seen = cordoned_with({terminating(make_pod("web-1"), kNow + 30s)});
  const auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_THAT(decision.status.blockers, IsEmpty());
  EXPECT_EQ(decision.requeue, 60s) << "its deadline and the margin";
}

TEST(Drain, NamesTerminatingPodsThatAreOverdueAndNeverClearsThem) {
  auto seen = cordoned_with({terminating(make_pod("web-1"), kNow - 30s),
                             with_finalizer(terminating(make_pod("web-2"), kNow - 30s))});
  const auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_THAT(blockers_of(decision),
              ElementsAre("shop/web-1 TerminatingTooLong", "shop/web-2 Finalizer"));
  EXPECT_THAT(decide_at(seen, kNow - 1ms).status.blockers, IsEmpty());
}

TEST(Drain, CountsAPodOnceWhateverIsInItsWay) {
  auto seen = cordoned_with({terminating(make_pod("proxy-1", "DaemonSet", "proxy"), kNow - 1h)});
  seen.removal.spec.drain.ignore_daemon_sets = false;
  const auto decision = decide_at(seen);
  EXPECT_THAT(decision.status.blockers, SizeIs(1));
  EXPECT_EQ(decision.status.pods->blocked, 1);
}

// --- time limit

TEST(Drain, BeginsItsClockWithTheFirstRound) {
  const auto decision = decide_at(cordoned_with({make_pod("web-1")}));
  EXPECT_EQ(decision.status.conditions.find(condition::kDrained)->last_transition_time, kNow);
}

TEST(Drain, GivesUpAtItsTimeLimitAndEvictsNothingMore) {
  auto seen = cordoned_with({make_pod("web-1")});
  set_condition(seen.removal, condition::kDrained, crd::ConditionStatus::Unknown, "Draining",
                kNow - 3600s);
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "False/DrainTimedOut");
  EXPECT_EQ(word(decision, condition::kDrained), "False/DrainTimedOut");
  EXPECT_EQ(word(decision, condition::kStalled), "True/DrainTimedOut");
  EXPECT_EQ(word(decision, condition::kReconciling), "False/DrainTimedOut");
  EXPECT_EQ(decision.status.completion_time, kNow);
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_FALSE(decision.requeue);
}

TEST(Drain, KeepsTheBlockersOfATimeOutAsTheExplanation) {
  auto seen = cordoned_with({make_naked_pod("debug")});
  set_condition(seen.removal, condition::kDrained, crd::ConditionStatus::Unknown, "DrainBlocked",
                kNow - 3600s);
  seen.removal.status.blockers = {{"shop/debug", "pod-debug", "UnmanagedPod", "m", "", kNow}};
  EXPECT_THAT(blockers_of(decide_at(seen)), ElementsAre("shop/debug UnmanagedPod"));
}

TEST(Drain, LooksAgainAtItsTimeLimit) {
  auto seen = cordoned_with({make_naked_pod("debug")});
  set_condition(seen.removal, condition::kDrained, crd::ConditionStatus::Unknown, "DrainBlocked",
                kNow - 3000s);
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/DrainBlocked");
  EXPECT_EQ(decision.requeue, 600s);
}

TEST(Drain, HasNoLimitWhenItIsZero) {
  auto seen = cordoned_with({make_naked_pod("debug")});
  seen.removal.spec.drain.timeout_seconds = 0;
  set_condition(seen.removal, condition::kDrained, crd::ConditionStatus::Unknown, "DrainBlocked",
                kNow - 10000h);
  EXPECT_EQ(summary(decide_at(seen)), "Unknown/DrainBlocked");
}

TEST(Drain, StartsItsClockAnewWhenPodsComeBackAfterItWasDone) {
  auto seen = cordoned_with({make_pod("web-1")});
  set_condition(seen.removal, condition::kDrained, crd::ConditionStatus::True, "Drained",
                kNow - 2h);
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/Draining");
  EXPECT_THAT(actions_of(decision), ElementsAre("Evict shop/web-1 (pod-web-1)"));
}

TEST(Drain, ForgetsWhatAnEarlierEmptierViewHadFoundOut) {
  auto seen = cordoned_with({make_pod("web-1")});
  const auto later = {condition::kTerminatingPodsCleared, condition::kPodsMigrated,
                      condition::kVolumesDetached, condition::kNodeDeleted};
  for (const auto type : later) {
    set_condition(seen.removal, type, crd::ConditionStatus::True, "Whatever", kNow - 1s);
  }
  const auto decision = decide_at(seen);
  for (const auto type : later) EXPECT_EQ(word(decision, type), "none") << type;
}

// --- what status says

TEST(Drain, KeepsTheTimeSinceWhenABlockerHasBeenThereForThatReason) {
  auto seen = cordoned_with({make_naked_pod("debug"), make_naked_pod("shell")});
  seen.removal.status.blockers = {{"shop/debug", "pod-debug", "UnmanagedPod", "m", "", kNow - 60s},
                                  {"shop/shell", "pod-shell", "EmptyDirData", "m", "", kNow - 60s}};
  EXPECT_THAT(decide_at(seen).status.blockers,
              testing::UnorderedElementsAre(Field(&crd::Blocker::since, kNow - 60s),
                                            Field(&crd::Blocker::since, kNow)));
}

TEST(Drain, ShowsTheBlockerFirstThatHasWaitedLongest) {
  // crd/noderemovals.yaml promises this, and the column BLOCKED BY of kubectl shows the first.
  auto seen = cordoned_with({make_naked_pod("alpha"), make_naked_pod("omega")});
  seen.removal.status.blockers = {{"shop/omega", "pod-omega", "UnmanagedPod", "m", "", kNow - 60s}};
  EXPECT_THAT(blockers_of(decide_at(seen)),
              ElementsAre("shop/omega UnmanagedPod", "shop/alpha UnmanagedPod"));
}

TEST(Drain, BoundsAndCountsItsBlockers) {
  const auto decision = decide_at(cordoned_with(naked_pods(25)));
  EXPECT_THAT(decision.status.blockers, SizeIs(crd::kMaxBlockers));
  EXPECT_EQ(decision.status.blockers_omitted, 5);
  EXPECT_EQ(decision.status.pods->blocked, 25);
  EXPECT_THAT(message_of(decision), HasSubstr("25 pods cannot leave"));
  EXPECT_THAT(message_of(decision), HasSubstr(" and 22 more"));
}

TEST(Drain, NeverLetsTheTotalOfPodsShrink) {
  auto seen = cordoned_with({make_pod("web-1"), terminating(make_pod("web-2"))});
  seen.removal.status.pods = crd::PodCounts{.total = 5, .evicted = 1, .remaining = 4};
  EXPECT_EQ(decide_at(seen).status.pods,
            (crd::PodCounts{.total = 5, .evicted = 3, .terminating = 1, .remaining = 2}));
}

TEST(Drain, LetsTheTotalOfPodsGrowWhenMoreCome) {
  auto seen = cordoned_with({make_pod("web-1"), make_pod("web-2")});
  seen.removal.status.pods = crd::PodCounts{.total = 3, .evicted = 2, .remaining = 1};
  EXPECT_EQ(decide_at(seen).status.pods,
            (crd::PodCounts{.total = 4, .evicted = 2, .remaining = 2}));
}

TEST(Drain, RecordsWhoHasToComeUpElsewhereBeforeTheFirstPodLeaves) {
  const auto decision = decide_at(cordoned_with(
      {make_pod("web-1"), make_pod("web-2"), make_pod("j", "Job", "job"),
       make_pod("db-0", "StatefulSet", "db"), make_pod("proxy-1", "DaemonSet", "proxy")}));
  EXPECT_THAT(decision.status.workloads,
              ElementsAre(crd::WorkloadStatus{"StatefulSet", "shop", "db", "owner-db", 0, 0},
                          crd::WorkloadStatus{"ReplicaSet", "shop", "web", "owner-web", 0, 0}));
  EXPECT_THAT(actions_of(decision), SizeIs(4));
}

TEST(Drain, DoesNotRecordPodsThatAreNotToBeTouched) {
  const auto decision = decide_at(cordoned_with({with_empty_dir(make_pod("cache-1"))}));
  EXPECT_THAT(decision.status.workloads, IsEmpty());
}

TEST(Drain, CountsWorkloadsBeyondTheBoundOnceAndNotInEveryRound) {
  std::vector<crd::Pod> pods;
  for (std::size_t i = 0; i < crd::kMaxWorkloads + 2; ++i) {
    const auto name = "w" + std::to_string(1000 + i);
    pods.push_back(make_pod(name + "-1", "ReplicaSet", name));
  }
  auto seen = cordoned_with(pods);
  seen.removal.status = decide_at(seen).status;
  EXPECT_THAT(seen.removal.status.workloads, SizeIs(crd::kMaxWorkloads));
  EXPECT_EQ(seen.removal.status.workloads_omitted, 2);
  EXPECT_EQ(decide_at(seen).status.workloads_omitted, 2);
}

TEST(Drain, WaitsWithAPodThatWasStartedThereAgainUntilItsPredecessorIsGone) {
  auto predecessor = terminating(make_pod("web-1"), kNow + 20s);
  auto again = make_pod("web-2");
  again.meta.creation_timestamp =
      kNow - 57s;  // within the time in which the scheduler may not know
  auto seen = cordoned_with({predecessor, again});
  auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(decision.status.blockers.front().reason, "StartedAgain");
  seen.pods = std::vector{again};
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Evict shop/web-2 (pod-web-2)"));
}

TEST(Drain, CountsItsTimeAnewAfterItStoodStill) {
  const std::function<void(Observation&)> kCases[] = {
      [](auto& seen) { seen.removal.spec.suspend = true; },
      [](auto& seen) { seen.removal.spec_changed = true; },
      [](auto& seen) { node_of(seen).unschedulable = false; },
  };
  for (const auto& stop : kCases) {
    auto seen = cordoned_with({make_pod("web-1")});
    seen.removal.spec.drain.timeout_seconds = 10;
    set_condition(seen.removal, condition::kDrained, crd::ConditionStatus::Unknown, "Draining",
                  kNow - 60s);
    auto stopped = seen;
    stop(stopped);
    seen.removal.status = decide_at(stopped).status;
    EXPECT_EQ(summary(decide_at(seen)), "Unknown/Draining");
  }
}

}  // namespace
}  // namespace reconcilers
