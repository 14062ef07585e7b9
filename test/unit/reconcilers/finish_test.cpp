#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/reconcilers/builders.hpp"

/// decide() from the last pod that left to the end: migration, volumes, the delete and what is left
/// behind.
namespace reconcilers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// A drained node whose ReplicaSet "web" wants three pods and has `ready` of them elsewhere.
Observation drained(std::int64_t ready = 3) {
  auto seen = cordoned_with({make_pod("proxy-1", "DaemonSet", "proxy")});
  set_condition(seen.removal, condition::kDrained, crd::ConditionStatus::True, "Drained",
                kNow - 10s);
  seen.removal.status.workloads = {{"ReplicaSet", "shop", "web", "owner-web", 0, 0}};
  seen.workloads = std::map<std::string, WorkloadProgress>{
      {"owner-web", {.exists = true, .desired = 3, .ready = ready}}};
  return seen;
}

void under_way(Observation& seen, std::string_view type, std::chrono::seconds for_how_long) {
  seen.removal.status.conditions.remove(type);
  set_condition(seen.removal, type, crd::ConditionStatus::Unknown, "Waiting", kNow - for_how_long);
}

void done(Observation& seen, std::string_view type) {
  set_condition(seen.removal, type, crd::ConditionStatus::True, "Done", kNow - 5s);
}

Observation deleted() {
  auto seen = drained();
  for (const auto type : {condition::kPodsMigrated, condition::kVolumesDetached}) done(seen, type);
  under_way(seen, condition::kNodeDeleted, 2s);
  seen.node = std::optional<crd::Node>{};
  return seen;
}

// --- migration

TEST(Migration, IsAwaitedUntilEveryWorkloadIsReadyElsewhere) {
  const auto decision = decide_at(drained(2));
  EXPECT_EQ(summary(decision), "Unknown/WaitingForMigration");
  EXPECT_EQ(message_of(decision),
            "Waiting until they are ready on other nodes: ReplicaSet shop/web 2/3");
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(decision.requeue, 250ms);
  EXPECT_THAT(decision.status.workloads,
              ElementsAre(crd::WorkloadStatus{"ReplicaSet", "shop", "web", "owner-web", 3, 2}));
}

TEST(Migration, IsDoneWhenTheyAre) {
  const auto decision = decide_at(drained());
  EXPECT_EQ(word(decision, condition::kPodsMigrated), "True/Migrated");
  EXPECT_THAT(actions_of(decision), ElementsAre("DeleteNode"));
}

TEST(Migration, IsDoneForAWorkloadThatIsGone) {
  auto seen = drained(0);
  seen.workloads->value()["owner-web"].exists = false;
  EXPECT_EQ(word(decide_at(seen), condition::kPodsMigrated), "True/Migrated");
}

TEST(Migration, IsNotDoneForAWorkloadThatNobodyToldUsAbout) {
  auto seen = drained();
  seen.workloads->value().clear();
  EXPECT_EQ(summary(decide_at(seen)), "Unknown/WaitingForMigration");
}

TEST(Migration, IsNotAwaitedWhenTheSpecSaysSoOrNobodyMoves) {
  auto seen = drained(0);
  seen.removal.spec.migration.wait = false;
  seen.workloads.reset();
  EXPECT_EQ(word(decide_at(seen), condition::kPodsMigrated), "True/NotAwaited");
  seen = drained(0);
  seen.removal.status.workloads.clear();
  seen.workloads.reset();
  EXPECT_EQ(word(decide_at(seen), condition::kPodsMigrated), "True/NotAwaited");
}

TEST(Migration, AsksForTheWorkloads) {
  auto seen = drained();
  seen.workloads.reset();
  EXPECT_THAT(decide_at(seen).needs, ElementsAre(FactName::Workloads));
}

TEST(Migration, GoesOnOrFailsWhenItTakesTooLong) {
  auto seen = drained(2);
  under_way(seen, condition::kPodsMigrated, 600s);
  auto decision = decide_at(seen);
  EXPECT_EQ(word(decision, condition::kPodsMigrated), "False/TimedOut");
  EXPECT_EQ(message_of(decision, condition::kPodsMigrated),
            "Not ready on other nodes after 600 s: ReplicaSet shop/web 2/3");
  EXPECT_THAT(actions_of(decision), ElementsAre("DeleteNode"));

  seen.removal.spec.migration.on_timeout = crd::TimeoutAction::Fail;
  decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "False/MigrationTimedOut");
  EXPECT_EQ(word(decision, condition::kStalled), "True/MigrationTimedOut");
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(Migration, IsAwaitedForEverWhenItsLimitIsZero) {
  auto seen = drained(2);
  seen.removal.spec.migration.timeout_seconds = 0;
  under_way(seen, condition::kPodsMigrated, 24h * 365);
  EXPECT_EQ(summary(decide_at(seen)), "Unknown/WaitingForMigration");
}

TEST(Migration, IsPolledLessOftenTheLongerItTakes) {
  for (const auto& [elapsed, poll] :
       {std::pair{0s, 250ms}, std::pair{1s, 250ms}, std::pair{4s, 1000ms}, std::pair{12s, 3000ms},
        std::pair{20s, 5000ms}, std::pair{500s, 5000ms}}) {
    auto seen = drained(2);
    under_way(seen, condition::kPodsMigrated, elapsed);
    EXPECT_EQ(decide_at(seen).requeue, poll) << elapsed.count();
  }
}

TEST(Migration, IsPolledInTimeForItsLimit) {
  auto seen = drained(2);
  under_way(seen, condition::kPodsMigrated, 598s);
  EXPECT_EQ(decide_at(seen).requeue, 2s);
}

// --- volumes

TEST(Volumes, AreAwaitedUntilTheyAreDetached) {
  auto seen = drained();
  seen.attachments = std::vector<std::string>{"pv-1 (csi-1)", "pv-2 (csi-2)"};
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/WaitingForVolumes");
  EXPECT_EQ(message_of(decision), "Waiting until they are detached: pv-1 (csi-1), pv-2 (csi-2)");
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(decision.requeue, 250ms);
}

TEST(Volumes, AreNotAwaitedWhenTheSpecSaysSo) {
  auto seen = drained();
  seen.attachments.reset();
  seen.removal.spec.volumes.wait_for_detach = false;
  const auto decision = decide_at(seen);
  EXPECT_EQ(word(decision, condition::kVolumesDetached), "True/NotAwaited");
  EXPECT_THAT(actions_of(decision), ElementsAre("DeleteNode"));
}

TEST(Volumes, AreAskedFor) {
  auto seen = drained();
  seen.attachments.reset();
  EXPECT_THAT(decide_at(seen).needs, ElementsAre(FactName::Attachments));
}

TEST(Volumes, GoOnOrFailWhenTheyTakeTooLong) {
  auto seen = drained();
  seen.attachments = std::vector<std::string>{"pv-1 (csi-1)"};
  under_way(seen, condition::kVolumesDetached, 300s);
  auto decision = decide_at(seen);
  EXPECT_EQ(word(decision, condition::kVolumesDetached), "False/TimedOut");
  EXPECT_EQ(message_of(decision, condition::kVolumesDetached),
            "Still attached after 300 s: pv-1 (csi-1)");
  EXPECT_THAT(actions_of(decision), ElementsAre("DeleteNode"));

  seen.removal.spec.volumes.on_timeout = crd::TimeoutAction::Fail;
  decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "False/VolumesTimedOut");
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

// --- the delete

TEST(DeleteNode, IsRecordedBefore) {
  auto seen = cordoned_with({});
  seen.removed_nodes->value().clear();
  EXPECT_THAT(actions_of(decide_at(seen)),
              ElementsAre("RecordRemoval jetson (node-1)", "DeleteNode"));
  seen.removed_nodes->value()["jetson"] = {.uid = "node-0", .removal = "before", .time = {}};
  EXPECT_THAT(actions_of(decide_at(seen)),
              ElementsAre("RecordRemoval jetson (node-1)", "DeleteNode"));
  seen.removed_nodes.reset();
  EXPECT_THAT(decide_at(seen).needs, ElementsAre(FactName::RemovedNodes));
  seen.removed_nodes = std::unexpected(std::string{"403"});
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty());
}

TEST(DeleteNode, IsIntendedInStatusBeforeItIsSent) {
  const auto decision = decide_at(drained());
  EXPECT_EQ(word(decision, condition::kNodeDeleted), "Unknown/DeletingNode");
  EXPECT_EQ(summary(decision), "Unknown/DeletingNode");
  EXPECT_THAT(actions_of(decision), ElementsAre("DeleteNode"));
  EXPECT_EQ(decision.requeue, 1s);
}

TEST(DeleteNode, WaitsUntilTheCordonHasSettled) {
  auto seen = drained();
  seen.removal.status.conditions.remove(condition::kCordoned);
  set_condition(seen.removal, condition::kCordoned, crd::ConditionStatus::True, "Cordoned", kNow);
  auto decision = decide_at(seen, kNow + 1s);
  EXPECT_EQ(summary(decision), "Unknown/Settling");
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(decision.requeue, 2s);
  EXPECT_THAT(actions_of(decide_at(seen, kNow + 3s - 1ms)), IsEmpty());
  EXPECT_THAT(actions_of(decide_at(seen, kNow + 3s)), ElementsAre("DeleteNode"));
}

TEST(DeleteNode, IsHeldByTheBrake) {
  auto seen = drained();
  for (auto& node : seen.census->value()) node.ready = false;
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/TooManyNodesNotReady");
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(decision.requeue, 5s);
}

TEST(DeleteNode, AsksForTheOtherNodes) {
  auto seen = drained();
  seen.census.reset();
  EXPECT_THAT(decide_at(seen).needs, ElementsAre(FactName::Census));
}

TEST(DeleteNode, IsTriedAgainWhenTheGateRefusedAndSaysWhy) {
  auto seen = drained();
  seen.gate_refusal = "1 pod would be lost with the node: shop/web-9";
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/DeleteRefused");
  EXPECT_EQ(message_of(decision),
            "Node jetson was not deleted: 1 pod would be lost with the node: shop/web-9");
  EXPECT_THAT(actions_of(decision), ElementsAre("DeleteNode"));
  EXPECT_EQ(decision.requeue, 1s);
}

TEST(DeleteNode, IsNotSentWhenTheSpecSaysSo) {
  auto seen = drained();
  seen.removal.spec.delete_node = false;
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "True/Drained");
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(word(decision, condition::kNodeDeleted), "none");
}

TEST(DeleteNode, IsNotSentTwiceToANodeThatWaitsForFinalizers) {
  auto seen = drained();
  node_of(seen).meta.deletion_timestamp = kNow;
  node_of(seen).meta.finalizers = {"example.com/hold"};
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/WaitingForFinalizers");
  EXPECT_THAT(message_of(decision), HasSubstr("example.com/hold"));
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(DeleteNode, GoesBackToTheDrainWhenAPodHasCome) {
  auto seen = drained();
  under_way(seen, condition::kNodeDeleted, 2s);
  pods_of(seen).push_back(make_pod("web-9"));
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Evict shop/web-9 (pod-web-9)"));
}

// --- what is left behind

TEST(Leftovers, AreAskedForOnceTheNodeIsGone) {
  auto seen = deleted();
  seen.leftovers.reset();
  const auto decision = decide_at(seen);
  EXPECT_THAT(decision.needs, ElementsAre(FactName::Leftovers));
  EXPECT_FALSE(decision.status.is_terminal());
}

TEST(Leftovers, AreTheEndWhenThereAreNone) {
  auto seen = deleted();
  seen.removal.status.blockers = {
      {"shop/web-1", "pod-web-1", "PodDisruptionBudget", "m", "", kNow}};
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "True/NodeRemoved");
  EXPECT_EQ(message_of(decision),
            "Node jetson is removed and nothing of it is left in the cluster.");
  EXPECT_EQ(word(decision, condition::kNodeDeleted), "True/Deleted");
  EXPECT_EQ(word(decision, condition::kLeftoversGone), "True/Gone");
  EXPECT_EQ(word(decision, condition::kReconciling), "False/NodeRemoved");
  EXPECT_EQ(word(decision, condition::kStalled), "False/NodeRemoved");
  EXPECT_EQ(decision.status.completion_time, kNow);
  EXPECT_THAT(decision.status.blockers, IsEmpty());
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_FALSE(decision.requeue);
}

TEST(Leftovers, AreNamed) {
  const struct {
    Leftovers left;
    std::string text;
  } kCases[] = {
      {{{"shop/a"}, {}, false, false}, "1 pod bound to the name (shop/a)"},
      {{{"a/a", "b/b", "c/c", "d/d"}, {}, false, false},
       "4 pods bound to the name (a/a, b/b, c/c and 1 more)"},
      {{{}, {"pv-1 (csi-1)"}, false, false}, "VolumeAttachment pv-1 (csi-1)"},
      {{{}, {}, true, false}, "Lease kube-node-lease/jetson"},
      {{{}, {}, false, true}, "CSINode jetson"},
      {{{}, {}, true, true}, "Lease kube-node-lease/jetson, CSINode jetson"},
      {{{"a/a"}, {"v"}, true, true},
       "1 pod bound to the name (a/a), VolumeAttachment v, Lease kube-node-lease/jetson and 1 "
       "more"},
  };
  for (const auto& [left, text] : kCases) {
    auto seen = deleted();
    seen.leftovers = left;
    const auto decision = decide_at(seen);
    EXPECT_EQ(summary(decision), "Unknown/CheckingLeftovers");
    EXPECT_EQ(message_of(decision), "Node jetson is deleted; waiting for " + text);
    EXPECT_EQ(decision.requeue, 250ms);
    EXPECT_THAT(actions_of(decision), IsEmpty());
  }
}

TEST(Leftovers, DoNotTurnSuccessIntoFailureWhenTheyStay) {
  auto seen = deleted();
  seen.leftovers->value().lease = true;
  under_way(seen, condition::kLeftoversGone, 300s);
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "True/NodeRemoved");
  EXPECT_EQ(word(decision, condition::kLeftoversGone), "False/Remaining");
  EXPECT_EQ(message_of(decision),
            "Node jetson is removed, but this is still there: Lease kube-node-lease/jetson.");
}

TEST(Leftovers, SettleWhatTheNodeTookAlong) {
  auto seen = deleted();
  seen.removal.status.blockers = {{"shop/a", "uid-a", "UnmanagedPod", "m", "", kNow}};
  seen.removal.status.pods = crd::PodCounts{.total = 2, .evicted = 1, .blocked = 1, .remaining = 1};
  under_way(seen, condition::kDrained, 60s);
  seen.leftovers->value().pods = {"shop/a"};
  auto decision = decide_at(seen);
  EXPECT_THAT(decision.status.blockers, IsEmpty());
  EXPECT_EQ(word(decision, condition::kDrained), "False/NodeGone");
  EXPECT_EQ(decision.status.pods->remaining, 1) << "it is still there";
  seen.leftovers->value().pods.clear();
  decision = decide_at(seen);
  EXPECT_EQ(*decision.status.pods, (crd::PodCounts{.total = 2, .evicted = 2}));
}

TEST(Leftovers, AreNotAwaitedWhenAKubeletThatRunsMakesThem) {
  auto seen = deleted();
  seen.leftovers->value().lease_of_running_kubelet = true;
  auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "True/NodeRemoved");
  EXPECT_EQ(word(decision, condition::kLeftoversGone), "False/KubeletRunning");
  EXPECT_EQ(message_of(decision),
            "Node jetson is removed. The kubelet of the machine still runs and has made Lease "
            "kube-node-lease/jetson anew; stop it there (systemctl disable --now kubelet), or the "
            "machine may join again.");
  seen.leftovers->value().pods = {"shop/a"};
  EXPECT_EQ(summary(decide_at(seen)), "Unknown/CheckingLeftovers") << "the pods go by themselves";
}

TEST(Leftovers, AreNotLookedForWhenTheNameHasJoinedAgain) {
  auto seen = deleted();
  seen.node = std::optional{make_node()};
  node_of(seen).meta.uid = "node-9";
  seen.leftovers.reset();
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "True/NodeRemoved");
  EXPECT_EQ(word(decision, condition::kNodeDeleted), "True/Deleted");
  EXPECT_EQ(word(decision, condition::kLeftoversGone), "False/NodeRejoined");
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(Leftovers, SayWhenSomebodyElseDeletedTheNode) {
  auto seen = cordoned_with({});
  seen.node = std::optional<crd::Node>{};
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "True/NodeRemoved");
  EXPECT_EQ(word(decision, condition::kNodeDeleted), "True/GoneAlready");
}

TEST(Leftovers, AreNotClaimedWhenTheNodeWasReplacedBeforeWeDeletedIt) {
  auto seen = cordoned_with({make_pod("web-1")});
  node_of(seen).meta.uid = "node-9";
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "True/AlreadyReplaced");
  EXPECT_EQ(word(decision, condition::kNodeDeleted), "none");
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

}  // namespace
}  // namespace reconcilers
