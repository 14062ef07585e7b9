#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "reconcilers/taints.hpp"
#include "test/unit/reconcilers/builders.hpp"

/// decide() when the node is NotReady: first it waits, then it deletes and clears pods without
/// asking the kubelet.
namespace reconcilers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

crd::Pod overdue(crd::Pod pod) { return terminating(std::move(pod), kNow - 30s); }

crd::Pod with_claim(crd::Pod pod) {
  pod.claims = {"data"};
  return pod;
}

std::vector<std::string> blockers_of(const Decision& decision) {
  std::vector<std::string> texts;
  for (const auto& blocker : decision.status.blockers) {
    texts.push_back(blocker.pod + " " + blocker.reason);
  }
  return texts;
}

void fence(Observation& seen) { seen.removal.spec.unreachable.fenced = true; }

void expect_progress(Observation& seen, const std::string& owner, std::int64_t ready,
                     const std::string& kind = "ReplicaSet") {
  seen.removal.status.workloads.push_back({kind, "shop", owner, "owner-" + owner, 1, 0});
  std::ranges::sort(seen.removal.status.workloads, {}, &crd::WorkloadStatus::name);
  seen.workloads->value()["owner-" + owner] = {.exists = true, .desired = 1, .ready = ready};
}

// --- when a node counts as dead

TEST(DeadNode, HasToBeNotReadyForTheToleranceByItsOwnClockAndByOurs) {
  const struct {
    std::chrono::seconds by_its_clock;
    std::chrono::seconds by_ours;
    bool dead;
  } kCases[] = {
      {300s, 300s, true}, {299s, 300s, false}, {300s, 299s, false}, {10h, 1s, false},
      {1s, 10h, false},   {10h, 10h, true},    {-60s, 10h, false},  // its clock is ahead
  };
  for (const auto& [by_its_clock, by_ours, dead] : kCases) {
    auto seen = dead_with({make_pod("web-1")});
    node_of(seen).ready_transition_time = kNow - by_its_clock;
    seen.removal.status.evidence->observed_since = kNow - by_ours;
    const auto decision = decide_at(seen);
    EXPECT_EQ(!decision.actions.empty(), dead) << by_its_clock.count() << " " << by_ours.count();
    EXPECT_EQ(summary(decision), dead ? "Unknown/ClearingTerminatingPods" : "Unknown/NodeNotReady");
    EXPECT_EQ(decision.requeue.has_value(), !dead);
  }
}

TEST(DeadNode, IsNotDeadBecauseTheClockWasSetForward) {
  const auto seen = dead_with({make_pod("web-1")});
  const auto just_set = decide_at(seen, {kNow, kNow});
  EXPECT_THAT(actions_of(just_set), IsEmpty());
  EXPECT_EQ(summary(just_set), "Unknown/NodeNotReady");
  EXPECT_EQ(just_set.requeue, 300s) << "the tolerance begins anew";
  EXPECT_EQ(just_set.status.evidence->observed_since, kNow) << "an operator that starts then knows";
  EXPECT_THAT(actions_of(decide_at(seen, {kNow, kNow - 299s})), IsEmpty());
  EXPECT_THAT(actions_of(decide_at(seen, {kNow, kNow - 300s})),
              ElementsAre("DeletePod shop/web-1 (pod-web-1)"));
}

TEST(DeadNode, IsWaitedForAgainWhenTheClockWasSetBack) {
  auto seen = dead_with({make_pod("web-1")});
  seen.removal.status.evidence->observed_since = kNow + 10h;
  const auto decision = decide_at(seen);
  EXPECT_EQ(decision.requeue, 300s);
  EXPECT_EQ(decision.status.evidence->observed_since, kNow);
}

TEST(DeadNode, HasNoPodClearedBecauseTheClockWasSetForward) {
  auto pod = overdue(make_pod("web-1"));
  pod.meta.deletion_grace_period_seconds = 3600;
  auto seen = dead_with({pod});
  expect_progress(seen, "web", 1);
  seen.removal.spec.unreachable.tolerance_seconds = 0;
  EXPECT_THAT(actions_of(decide_at(seen, {kNow, kNow - 3629s})), IsEmpty());
  EXPECT_THAT(actions_of(decide_at(seen, {kNow, kNow - 3630s})),
              ElementsAre("ClearPod shop/web-1 (pod-web-1)"));
}

TEST(DeadNode, IsLookedAtAgainWhenTheToleranceIsOver) {
  const auto decision = decide_at(dead_with({make_pod("web-1")}, 100s));
  EXPECT_EQ(decision.requeue, 200s);
}

TEST(DeadNode, IsTakenForDeadAtOnceOnlyWhenTheToleranceIsZero) {
  auto seen = dead_with({make_pod("web-1")}, 0s);
  seen.removal.status.evidence.reset();
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty());
  seen.removal.spec.unreachable.tolerance_seconds = 0;
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("DeletePod shop/web-1 (pod-web-1)"));
}

TEST(DeadNode, IsJudgedByOurOwnClockWhenItNeverReportedReadiness) {
  auto seen = dead_with({make_pod("web-1")});
  node_of(seen).ready_transition_time.reset();
  const auto evidence = decide_at(seen).status.evidence;
  ASSERT_TRUE(evidence);
  EXPECT_EQ(evidence->not_ready_since, kNow - 400s);
}

TEST(DeadNode, LeavesEvidence) {
  auto seen = dead_with({}, 100s);
  seen.removal.status.evidence.reset();
  const auto evidence = decide_at(seen, kNow + 400ms).status.evidence;
  EXPECT_EQ(evidence, (crd::Evidence{.ready = crd::ConditionStatus::Unknown,
                                     .not_ready_since = kNow - 100s,
                                     .observed_since = kNow,
                                     .reason = "NodeStatusUnknown",
                                     .message = "Kubelet stopped posting node status.",
                                     .fenced = false,
                                     .fenced_by = {}}));
}

TEST(DeadNode, LosesItsEvidenceAndItsConditionsWhenItComesBack) {
  auto seen = dead_with({make_pod("web-1")});
  set_condition(seen.removal, condition::kTerminatingPodsCleared, crd::ConditionStatus::Unknown,
                "ClearingTerminatingPods", kNow - 10s);
  node_of(seen).ready = crd::ConditionStatus::True;
  const auto decision = decide_at(seen);
  EXPECT_FALSE(decision.status.evidence);
  EXPECT_EQ(word(decision, condition::kTerminatingPodsCleared), "none");
  EXPECT_EQ(word(decision, condition::kDrained), "Unknown/Draining");
  EXPECT_EQ(decision.status.conditions.find(condition::kDrained)->last_transition_time, kNow)
      << "the time limit of the drain begins anew";
  EXPECT_THAT(actions_of(decision), ElementsAre("Evict shop/web-1 (pod-web-1)"));
}

TEST(DeadNode, LosesItsEvidenceAlsoWhenItComesBackWhileSuspended) {
  auto seen = dead_with({make_pod("web-1")});
  seen.removal.spec.suspend = true;
  node_of(seen).ready = crd::ConditionStatus::True;
  EXPECT_FALSE(decide_at(seen).status.evidence) << "the next silence would count from the first";
}

TEST(DeadNode, IsNotForcedWhenTooManyNodesAreNotReady) {
  auto seen = dead_with({make_pod("web-1"), overdue(make_pod("web-2"))});
  for (auto& node : seen.census->value()) node.ready = false;
  const auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(summary(decision), "Unknown/TooManyNodesNotReady");
  EXPECT_EQ(decision.requeue, 5s);
}

TEST(DeadNode, AsksForTheOtherNodesBeforeItForcesAnything) {
  auto seen = dead_with({make_pod("web-1")});
  seen.census.reset();
  const auto decision = decide_at(seen);
  EXPECT_THAT(decision.needs, ElementsAre(FactName::Census));
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

// --- what happens to its pods

TEST(DeadNode, HasItsPodsDeletedSoThatTheyStartElsewhere) {
  auto seen = dead_with({make_pod("web-1"), make_pod("proxy-1", "DaemonSet", "proxy"),
                         make_pod("job-1", "Job", "job"), make_mirror_pod("static")});
  const auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision),
              ElementsAre("DeletePod shop/web-1 (pod-web-1)", "DeletePod shop/job-1 (pod-job-1)"));
  EXPECT_EQ(word(decision, condition::kDrained), "False/NodeNotReady");
  EXPECT_EQ(word(decision, condition::kTerminatingPodsCleared), "Unknown/ClearingTerminatingPods");
}

TEST(DeadNode, HasNoPodClearedBeforeAllAreDeleted) {
  const auto decision = decide_at(dead_with({make_pod("web-1"), overdue(make_pod("web-2"))}));
  EXPECT_THAT(actions_of(decision), ElementsAre("DeletePod shop/web-1 (pod-web-1)"));
}

TEST(DeadNode, HasAPodClearedOnlyWhenItIsOverdue) {
  auto seen = dead_with({terminating(make_pod("web-1"), kNow + 20s)});
  expect_progress(seen, "web", 1);
  auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(decision.requeue, 50s);
  EXPECT_THAT(actions_of(decide_at(seen, kNow + 50s - 1ms)), IsEmpty());
  EXPECT_THAT(actions_of(decide_at(seen, kNow + 50s)),
              ElementsAre("ClearPod shop/web-1 (pod-web-1)"));
}

TEST(DeadNode, DoesNotRepeatRequestsThatWereAcceptedAMomentAgo) {
  auto seen = dead_with({make_pod("web-1")});
  seen.accepted["pod-web-1"] = kNow + 5s;
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty());
  seen = dead_with({overdue(make_pod("web-1"))});
  expect_progress(seen, "web", 1);
  seen.accepted["pod-web-1"] = kNow + 5s;
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("ClearPod shop/web-1 (pod-web-1)"));
  seen.cleared["pod-web-1"] = kNow + 5s;
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty());
}

TEST(DeadNode, NamesFinalizersOfPodsThatAreClearedAlready) {
  auto pod = overdue(make_pod("web-1"));
  pod.meta.finalizers = {"example.com/hold"};
  auto seen = dead_with({pod});
  expect_progress(seen, "web", 1);
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("ClearPod shop/web-1 (pod-web-1)"));
  pods_of(seen).front().meta.deletion_grace_period_seconds = 0;
  const auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_THAT(blockers_of(decision), ElementsAre("shop/web-1 Finalizer"));
  EXPECT_THAT(message_of(decision), HasSubstr("example.com/hold"));
}

TEST(DeadNode, KeepsPodsThatNobodyHasAgreedToLose) {
  auto cache = make_pod("cache-1");
  cache.empty_dir = true;
  const auto decision = decide_at(dead_with({make_naked_pod("debug"), cache}));
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(summary(decision), "Unknown/Blocked");
  EXPECT_THAT(blockers_of(decision),
              ElementsAre("shop/cache-1 EmptyDirData", "shop/debug UnmanagedPod"));
}

TEST(DeadNode, HasOtherPodsDeletedWhileOneIsBlocked) {
  // A dead node serves nobody: unlike on a Ready node, waiting would only prolong the outage of the
  // others.
  const auto decision = decide_at(dead_with({make_naked_pod("debug"), make_pod("web-1")}));
  EXPECT_THAT(actions_of(decision), ElementsAre("DeletePod shop/web-1 (pod-web-1)"));
  EXPECT_THAT(blockers_of(decision), ElementsAre("shop/debug UnmanagedPod"));
}

// --- fencing

TEST(DeadNode, NeedsFencingForPodsThatMustNotRunTwice) {
  const auto decision =
      decide_at(dead_with({make_pod("db-0", "StatefulSet", "db"), with_claim(make_pod("files-1")),
                           overdue(make_pod("db-1", "StatefulSet", "db"))}));
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(summary(decision), "Unknown/NeedsFencing");
  EXPECT_THAT(blockers_of(decision), ElementsAre("shop/db-0 NeedsFencing", "shop/db-1 NeedsFencing",
                                                 "shop/files-1 NeedsFencing"));
}

TEST(DeadNode, HasSuchPodsDeletedOnceItIsFenced) {
  auto seen = dead_with({make_pod("db-0", "StatefulSet", "db")});
  fence(seen);
  auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), ElementsAre("DeletePod shop/db-0 (pod-db-0)"));
  EXPECT_TRUE(decision.status.evidence->fenced);
  EXPECT_EQ(decision.status.evidence->fenced_by, "spec.unreachable.fenced");

  seen = dead_with({make_pod("db-0", "StatefulSet", "db")});
  add_taint(node_of(seen), crd::kOutOfServiceTaint);
  decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), ElementsAre("DeletePod shop/db-0 (pod-db-0)"));
  EXPECT_EQ(decision.status.evidence->fenced_by, "node.kubernetes.io/out-of-service");
}

// --- the out-of-service taint

/// The taint as our patch leaves it.
void mark_out_of_service(Observation& seen) {
  auto& node = node_of(seen);
  node.taints.push_back(
      {.key = std::string{crd::kOutOfServiceTaint}, .value = "noderemoval", .effect = "NoExecute"});
  node.taints_json.push_back(boost::json::object{
      {"key", crd::kOutOfServiceTaint}, {"value", "noderemoval"}, {"effect", "NoExecute"}});
}

constexpr auto kMarks =
    "SetTaints jetson (node-1): noderemoval.dev/removing node.kubernetes.io/out-of-service";
constexpr auto kUnmarks = "SetTaints jetson (node-1): noderemoval.dev/removing";

TEST(DeadNode, IsMarkedOutOfServiceOnServersThatKnowIt) {
  auto seen = dead_with({make_pod("web-1")});
  seen.server_minor = 36;
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("DeletePod shop/web-1 (pod-web-1)"))
      << "nobody asserts that the machine is off";
  fence(seen);
  seen.server_minor.reset();
  EXPECT_THAT(decide_at(seen).needs, ElementsAre(FactName::ServerMinor));
  seen.server_minor = 26;
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre(kMarks));
  seen.server_minor = 25;
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("DeletePod shop/web-1 (pod-web-1)"));
  seen.server_minor = std::unexpected(std::string{"403"});
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("DeletePod shop/web-1 (pod-web-1)"))
      << "it goes without, only slower";
}

TEST(DeadNode, GoesOnWhenItIsMarked) {
  auto seen = dead_with({make_pod("db-0", "StatefulSet", "db")});
  fence(seen);
  seen.server_minor = 36;
  mark_out_of_service(seen);
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("DeletePod shop/db-0 (pod-db-0)"));
}

TEST(DeadNode, TakesOurMarkForNobodysAssertion) {
  auto seen = dead_with({make_pod("db-0", "StatefulSet", "db")});
  seen.server_minor = 36;
  mark_out_of_service(seen);
  const auto decision = decide_at(seen);
  EXPECT_FALSE(decision.status.evidence->fenced);
  EXPECT_THAT(actions_of(decision), ElementsAre(kUnmarks)) << "the assertion was taken back";
}

TEST(DeadNode, LosesItsMarkBeforeItIsDrainedWhenItComesBack) {
  auto seen = dead_with({make_pod("db-0", "StatefulSet", "db")});
  fence(seen);
  mark_out_of_service(seen);
  node_of(seen).ready = crd::ConditionStatus::True;
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre(kUnmarks));
  pods_of(seen).clear();
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre(kUnmarks));
}

TEST(DeadNode, KeepsTheMarkOfSomebodyElse) {
  auto seen = dead_with({make_pod("web-1")});
  fence(seen);
  seen.server_minor = 36;
  add_taint(node_of(seen), crd::kOutOfServiceTaint);
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("DeletePod shop/web-1 (pod-web-1)"));
  node_of(seen).ready = crd::ConditionStatus::True;
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Evict shop/web-1 (pod-web-1)"));
}

TEST(DeadNode, LooksAtVolumesOnlyWhenItMatters) {
  auto seen = dead_with({with_claim(make_pod("files-1"))});
  seen.claims.reset();
  EXPECT_THAT(decide_at(seen).needs, ElementsAre(FactName::Claims));
  seen.claims = std::map<std::string, bool>{{"shop/data", false}};
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("DeletePod shop/files-1 (pod-files-1)"));
  seen.claims.reset();
  fence(seen);
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("DeletePod shop/files-1 (pod-files-1)"));
}

TEST(DeadNode, FencingDoesNotShortenTheTolerance) {
  auto seen = dead_with({make_pod("db-0", "StatefulSet", "db")}, 100s);
  fence(seen);
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty());
}

TEST(DeadNode, NeedsNoFencingForPodsThatHaveFinished) {
  auto pod = with_claim(make_pod("job-1", "Job", "job"));
  pod.phase = "Succeeded";
  EXPECT_THAT(actions_of(decide_at(dead_with({pod}))),
              ElementsAre("DeletePod shop/job-1 (pod-job-1)"));
}

// --- replacements first

TEST(DeadNode, WaitsForReplacementsBeforeItClearsAnything) {
  auto seen = dead_with({overdue(make_pod("web-1"))});
  expect_progress(seen, "web", 0);
  const auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(summary(decision), "Unknown/WaitingForMigration");
  EXPECT_EQ(decision.requeue, 250ms);
}

TEST(DeadNode, DoesNotWaitForStatefulSetsThatCannotStartBeforeTheirOldPodIsCleared) {
  auto seen = dead_with({overdue(make_pod("db-0", "StatefulSet", "db"))});
  fence(seen);
  expect_progress(seen, "db", 0, "StatefulSet");
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("ClearPod shop/db-0 (pod-db-0)"));
}

TEST(DeadNode, DoesNotWaitForReplacementsWhenTheSpecSaysSo) {
  auto seen = dead_with({overdue(make_pod("web-1"))});
  expect_progress(seen, "web", 0);
  seen.removal.spec.migration.wait = false;
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("ClearPod shop/web-1 (pod-web-1)"));
}

TEST(DeadNode, AsksHowFarTheReplacementsAre) {
  auto seen = dead_with({overdue(make_pod("web-1"))});
  seen.workloads.reset();
  const auto decision = decide_at(seen);
  EXPECT_THAT(decision.needs, ElementsAre(FactName::Workloads));
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(DeadNode, ClearsOrFailsWhenReplacementsTakeTooLong) {
  auto seen = dead_with({overdue(make_pod("web-1"))});
  expect_progress(seen, "web", 0);
  set_condition(seen.removal, condition::kPodsMigrated, crd::ConditionStatus::Unknown,
                "WaitingForMigration", kNow - 600s);
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("ClearPod shop/web-1 (pod-web-1)"));
  EXPECT_THAT(actions_of(decide_at(seen, kNow - 1ms)), IsEmpty());
  seen.removal.spec.migration.on_timeout = crd::TimeoutAction::Fail;
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "False/MigrationTimedOut");
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(DeadNode, TellsWhatAHumanHasToDecideBeforeWhatItWaitsFor) {
  auto seen = dead_with({overdue(make_pod("web-1")), make_pod("db-0", "StatefulSet", "db")});
  expect_progress(seen, "web", 0);
  EXPECT_EQ(summary(decide_at(seen)), "Unknown/NeedsFencing");
}

TEST(DeadNode, IsDoneWithItsPodsWhenNoneIsLeft) {
  auto seen = dead_with({make_pod("proxy-1", "DaemonSet", "proxy")});
  set_condition(seen.removal, condition::kTerminatingPodsCleared, crd::ConditionStatus::Unknown,
                "ClearingTerminatingPods", kNow - 10s);
  const auto decision = decide_at(seen);
  EXPECT_EQ(word(decision, condition::kTerminatingPodsCleared), "True/Cleared");
  EXPECT_EQ(word(decision, condition::kDrained), "False/NodeNotReady");
  EXPECT_THAT(actions_of(decision), ElementsAre("DeleteNode"));
}

TEST(DeadNode, IsNotCalledDrainedAfterASuspension) {
  auto seen = dead_with({overdue(make_pod("web-1"))});
  set_condition(seen.removal, condition::kTerminatingPodsCleared, crd::ConditionStatus::Unknown,
                "ClearingTerminatingPods", kNow - 10s);
  seen.removal.spec.suspend = true;
  seen.removal.status = decide_at(seen).status;
  seen.removal.spec.suspend = false;
  pods_of(seen).clear();
  EXPECT_EQ(word(decide_at(seen), condition::kDrained), "False/NodeNotReady");
}

TEST(DeadNode, LeavesAPodAloneThatItsControllerStartsThereAgain) {
  auto seen = dead_with({make_pod("web-1")});
  (*seen.pods)->front().meta.creation_timestamp = kNow - 1s;
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/Blocked");
  EXPECT_EQ(decision.status.blockers.front().reason, "BypassesScheduler");
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(DeadNode, IsMarkedOutOfServiceForItsVolumesAlsoWithoutPods) {
  auto seen = dead_with({});
  seen.removal.spec.unreachable.fenced = true;
  seen.server_minor = 36;
  seen.attachments = std::vector<std::string>{"disk (attachment)"};
  auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), ElementsAre(HasSubstr("SetTaints")));
  EXPECT_EQ(summary(decision), "Unknown/WaitingForVolumes");
  seen.attachments = std::vector<std::string>{};
  EXPECT_THAT(actions_of(decide_at(seen)), testing::Not(testing::Contains(HasSubstr("SetTaints"))));
}

TEST(DeadNode, CountsTheTimeOfItsVolumesFromWhenTheyCanBeDetached) {
  auto seen = dead_with({}, 10s);
  seen.removal.spec.unreachable.fenced = true;
  seen.server_minor = 36;
  seen.attachments = std::vector<std::string>{"disk (attachment)"};
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/NodeNotReady");
  EXPECT_EQ(decision.status.conditions.find(condition::kVolumesDetached), nullptr);
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(decision.requeue, 290s);
  seen.server_minor = 20;
  EXPECT_EQ(summary(decide_at(seen)), "Unknown/WaitingForVolumes") << "it knows no such taint";
}

TEST(DeadNode, LosesOurOutOfServiceTaintWhateverElseStandsStill) {
  const std::function<void(Observation&)> kCases[] = {
      [](auto& seen) { seen.removal.spec.suspend = true; },
      [](auto& seen) { seen.removal.spec_changed = true; },
      [](auto& seen) { node_of(seen).unschedulable = false; },
  };
  for (const auto& stop : kCases) {
    for (const bool ready : {true, false}) {
      auto seen = dead_with({make_pod("web-1")});
      node_of(seen).taints_json = taints::with_out_of_service(node_of(seen));
      if (ready) node_of(seen).ready = crd::ConditionStatus::True;
      stop(seen);
      EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre(HasSubstr("SetTaints"))) << ready;
    }
  }
}

}  // namespace
}  // namespace reconcilers
