#include "reconcilers/host_cleanup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "reconcilers/guards.hpp"
#include "reconcilers/hand_over_pod.hpp"
#include "test/unit/reconcilers/builders.hpp"
#include "test/unit/reconcilers/world.hpp"

/// The machine is cleaned while the Node still exists, and status says truthfully what is known.
namespace reconcilers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class HostCleanup : public testing::Test {
 protected:
  HostCleanup() {
    world_.removal->spec.host_cleanup.enabled = true;
    world_.add_pod(make_pod("web-1"));
    world_.add_pod(make_pod("proxy-1", "DaemonSet", "proxy"));
  }

  /// Until the operator waits with this reason.
  void run_until(std::string_view reason) {
    for (int i = 0; i < 100 && world_.removal; ++i) {
      world_.run();
      if (world_.summary() == "Unknown/" + std::string{reason}) return;
      if (!world_.let_others_work()) world_.pass(1s);
    }
    FAIL() << "never waits with " << reason << " but with " << world_.summary() << ": "
           << world_.message(condition::kSucceeded);
  }

  crd::CleanupPlan& plan() { return world_.removal->spec.host_cleanup.plan; }

  World world_;
};

TEST_F(HostCleanup, ComesAfterTheDrainAndBeforeTheNodeIsDeleted) {
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
  EXPECT_EQ(world_.word(condition::kHostCleaned), "True/Cleaned");
  EXPECT_EQ(world_.message(condition::kHostCleaned), "Kubelet Done (stopped)");
  EXPECT_THAT(
      world_.log,
      ElementsAre("AddFinalizer", "Cordon jetson (node-1)", "Evict shop/web-1 (pod-web-1)",
                  "CreateHandOverPod noderemoval-host/host-cleanup-removal-1", "StartHostCleanup",
                  "DeleteHandOverPod noderemoval-host/host-cleanup-removal-1 (hand-over-1)",
                  "RecordRemoval jetson (node-1)", "DeleteNode", "RemoveFinalizer"));
  EXPECT_EQ(world_.word(condition::kDrained), "True/Drained");
  EXPECT_EQ(world_.word(condition::kTerminatingPodsCleared), "none");
}

TEST_F(HostCleanup, DoesNotHappenUnasked) {
  world_.removal->spec.host_cleanup.enabled = false;
  world_.run_to_end();
  EXPECT_EQ(world_.word(condition::kHostCleaned), "none");
  EXPECT_THAT(world_.log, Not(testing::Contains("StartHostCleanup")));
}

TEST_F(HostCleanup, OfASilentMachineEndsTheRemovalAndKeepsTheNode) {
  world_.machine = World::Machine::Silent;
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "False/HostCleanupFailed");
  EXPECT_EQ(world_.word(condition::kHostCleaned), "False/NoReport");
  ASSERT_TRUE(world_.node);
  EXPECT_TRUE(world_.node->unschedulable) << "a machine without kubelet gets no pods";
  EXPECT_FALSE(world_.hand_over_pod) << "something is left behind";
  EXPECT_THAT(world_.message(condition::kHostCleaned),
              HasSubstr("See /var/lib/noderemoval/removal-1/result.json on it. Before the machine "
                        "joins again, run on it: noderemoval host-cleanup"));
}

TEST_F(HostCleanup, OfASilentMachineIsGivenUpWhenTheUserWantsThat) {
  world_.machine = World::Machine::Silent;
  world_.removal->spec.host_cleanup.on_failure = crd::TimeoutAction::Continue;
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
  EXPECT_EQ(world_.word(condition::kHostCleaned), "False/NoReport");
  EXPECT_FALSE(world_.node);
  EXPECT_FALSE(world_.hand_over_pod);
}

TEST_F(HostCleanup, ThatTheMachineRefusesNamesItsReason) {
  world_.machine = World::Machine::Refuses;
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "False/HostCleanupFailed");
  EXPECT_EQ(world_.word(condition::kHostCleaned), "False/HandOverFailed");
  EXPECT_THAT(world_.message(condition::kHostCleaned), HasSubstr("UnsupportedHost"));
  EXPECT_FALSE(world_.node->unschedulable) << "nothing was changed on the machine";
  EXPECT_FALSE(world_.hand_over_pod);
}

TEST_F(HostCleanup, ThatFailedIsNotCalledClean) {
  world_.machine_phase = "Failed";
  world_.run_to_end();
  EXPECT_EQ(world_.word(condition::kHostCleaned), "False/CleanupFailed");
  EXPECT_EQ(world_.summary(), "False/HostCleanupFailed");
}

TEST_F(HostCleanup, ThatFailedKeepsTheCommandHoweverMuchTheMachineSays) {
  world_.machine = World::Machine::Silent;
  run_until("Cleaning");
  std::string steps;
  for (int i = 0; i < 30; ++i) {
    steps += std::string{i == 0 ? "" : ","} + R"({"name": "CNI", "result": "Failed", "detail": ")" +
             std::string(300, 'x') + R"("})";
  }
  world_.node->meta.annotations[std::string{crd::kHostCleanupReportAnnotation}] =
      R"({"uid": "removal-1", "phase": "Failed", "steps": [)" + steps + "]}";
  world_.run();
  EXPECT_EQ(world_.word(condition::kHostCleaned), "False/CleanupFailed");
  EXPECT_TRUE(world_.message(condition::kHostCleaned).ends_with("noderemoval host-cleanup"));
}

TEST_F(HostCleanup, BelievesNoStartAndNoReportThatSomebodyElseWrote) {
  auto& annotations = world_.node->meta.annotations;
  annotations[std::string{crd::kHostCleanupStartAnnotation}] = kRemovalUid;
  annotations[std::string{crd::kHostCleanupReportAnnotation}] =
      R"({"uid": "removal-1", "phase": "Succeeded", "steps": []})";
  run_until("HandingOver");
  EXPECT_TRUE(world_.hand_over_pod);
  EXPECT_EQ(world_.word(condition::kHostCleaned), "Unknown/HandingOver");
}

TEST_F(HostCleanup, OfADeadNodeIsNotPossible) {
  world_.run();
  world_.kill_kubelet();
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "False/HostCleanupFailed");
  EXPECT_EQ(world_.word(condition::kHostCleaned), "False/HostUnreachable");
  EXPECT_THAT(world_.message(condition::kHostCleaned),
              HasSubstr("Before the machine joins again, run on it: noderemoval host-cleanup"));
  EXPECT_TRUE(world_.node);
}

TEST_F(HostCleanup, OfADeadNodeLetsTheRemovalGoOnWhenTheUserWantsThat) {
  world_.removal->spec.host_cleanup.on_failure = crd::TimeoutAction::Continue;
  plan().extra_paths = {"/opt/cni"};
  world_.run();
  world_.kill_kubelet();
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
  EXPECT_EQ(world_.word(condition::kHostCleaned), "False/HostUnreachable");
  EXPECT_THAT(world_.message(condition::kHostCleaned), HasSubstr(" --extra-path=/opt/cni"));
}

TEST_F(HostCleanup, WaitsForANodeThatIsNotReadyForAMoment) {
  run_until("HandingOver");
  world_.kill_kubelet();
  run_until("NodeNotReady");
  world_.revive_kubelet();
  world_.run_to_end();
  EXPECT_EQ(world_.word(condition::kHostCleaned), "True/Cleaned");
}

TEST_F(HostCleanup, ThatIsCancelledBeforeTheStartLeavesNothingBehind) {
  run_until("HandingOver");
  ASSERT_TRUE(world_.hand_over_pod);
  world_.cancel();
  world_.run();
  EXPECT_FALSE(world_.removal);
  EXPECT_FALSE(world_.hand_over_pod);
  EXPECT_FALSE(world_.node->unschedulable);
  EXPECT_FALSE(host_cleanup_was_started(*world_.node, "removal-1"));
}

TEST_F(HostCleanup, ThatIsCancelledAfterTheStartKeepsPodsOffTheMachine) {
  world_.machine = World::Machine::Silent;
  run_until("Cleaning");
  world_.cancel();
  world_.run();
  EXPECT_FALSE(world_.removal);
  EXPECT_FALSE(world_.hand_over_pod);
  EXPECT_TRUE(world_.node->unschedulable);
}

TEST_F(HostCleanup, IsOnlyPlannedInADryRunAndTheNodeGoesAllTheSame) {
  plan().dry_run = true;
  run_until("HandingOver");
  world_.hand_over_pod->phase = "Succeeded";
  world_.hand_over_pod->ended = R"({"uid": "removal-1", "phase": "Planned",
      "steps": [{"name": "CNI", "result": "Planned", "detail": "cni0"}]})";
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
  EXPECT_EQ(world_.word(condition::kHostCleaned), "False/DryRun");
  EXPECT_THAT(world_.message(condition::kHostCleaned), HasSubstr("CNI Planned (cni0)"));
  EXPECT_THAT(world_.log, Not(testing::Contains("StartHostCleanup")));
}

TEST_F(HostCleanup, TellsWhyItsPodDoesNotStartAndGivesUpInTime) {
  run_until("HandingOver");
  world_.hand_over_pod->waiting = "ErrImagePull: no such image";
  world_.pass(1s);
  world_.run();
  EXPECT_THAT(world_.message(condition::kHostCleaned), HasSubstr("ErrImagePull: no such image"));
  world_.pass(600s);
  world_.run();
  EXPECT_EQ(world_.word(condition::kHostCleaned), "False/TimedOut");
  EXPECT_THAT(world_.message(condition::kHostCleaned), HasSubstr("ErrImagePull: no such image"));
  EXPECT_EQ(world_.summary(), "False/HostCleanupFailed");
  EXPECT_FALSE(world_.hand_over_pod);
}

TEST_F(HostCleanup, IsGivenUpInTimeWhenNobodySaysWhatBecameOfThePod) {
  run_until("HandingOver");
  world_.unreadable.insert(FactName::HandOverPod);
  world_.pass(1s);
  world_.run();
  EXPECT_EQ(world_.summary(), "Unknown/ApiUnavailable");
  world_.pass(600s);
  world_.run();
  EXPECT_EQ(world_.summary(), "False/HostCleanupFailed");
  EXPECT_THAT(world_.message(condition::kHostCleaned), HasSubstr("the server is out for lunch"));
  world_.unreadable.clear();
  world_.run();
  EXPECT_FALSE(world_.hand_over_pod);
}

TEST_F(HostCleanup, ThatTheOperatorMayNoLongerDoHoldsUpNeitherRemovalNorCancel) {
  run_until("HandingOver");
  world_.policy.host_cleanup_namespace.clear();
  world_.restart_operator();
  world_.run_to_end();
  EXPECT_EQ(world_.word(condition::kHostCleaned), "False/HostCleanupDisabled");
  EXPECT_EQ(world_.summary(), "False/HostCleanupFailed");
  EXPECT_FALSE(world_.removal->has_finalizer());
}

TEST_F(HostCleanup, IsNotStartedWhileAPodThatHasToLeaveIsOnTheNode) {
  run_until("HandingOver");
  world_.let_others_work();  // handed over
  world_.add_pod(make_pod("late-1"));
  world_.run_to_end();
  const auto started = std::ranges::find(world_.log, "StartHostCleanup");
  const auto evicted = std::ranges::find(world_.log, "Evict shop/late-1 (pod-late-1)");
  EXPECT_LT(evicted, started);
  EXPECT_EQ(world_.word(condition::kHostCleaned), "True/Cleaned");
}

TEST_F(HostCleanup, IsNotStartedWhenNobodyWouldWaitForItsReport) {
  run_until("HandingOver");
  world_.let_others_work();  // handed over
  world_.edit([](auto& spec) { spec.suspend = true; });
  world_.pass(600s);
  world_.run();
  world_.edit([](auto& spec) { spec.suspend = false; });
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "False/HostCleanupFailed");
  EXPECT_EQ(world_.word(condition::kHostCleaned), "False/TimedOut");
  EXPECT_THAT(world_.message(condition::kHostCleaned),
              HasSubstr("After 600 s the cleaning had been handed over to the machine and not been "
                        "started. Nothing was changed on the machine, and its Node"));
  EXPECT_THAT(world_.log, Not(testing::Contains("StartHostCleanup")));
  EXPECT_FALSE(world_.node->unschedulable) << "nothing was changed on the machine";
  EXPECT_FALSE(world_.hand_over_pod);
}

/// A watch that is behind does not show a start whose answer was lost.
TEST_F(HostCleanup, IsCalledNotStartedOnlyAfterALookAtTheNodeAsItIs) {
  auto seen = cordoned_with({});
  seen.removal.spec.host_cleanup.enabled = true;
  set_condition(seen.removal, condition::kHostCleaned, crd::ConditionStatus::Unknown, "HandedOver",
                kNow - 600s);
  seen.hand_over_pod = crd::HandOverPod{.uid = "hand-over-1",
                                        .phase = "Succeeded",
                                        .terminating = false,
                                        .waiting = {},
                                        .ended = R"({"uid": "removal-1", "phase": "HandedOver"})"};
  seen.node_is_fresh = false;
  const auto decision = decide(seen, world_.policy, kNow);
  EXPECT_THAT(decision.needs, ElementsAre(FactName::FreshNode));
  EXPECT_THAT(decision.actions, IsEmpty());
}

TEST_F(HostCleanup, ThatFailedStaysSoWhenItsPodCannotBeReadAtTheEnd) {
  world_.machine_phase = "Failed";
  run_until("Cleaning");
  world_.let_others_work();  // reported
  world_.round();
  ASSERT_EQ(world_.summary(), "False/HostCleanupFailed");
  world_.unreadable = {FactName::HandOverPod};
  world_.round();
  EXPECT_EQ(world_.summary(), "False/HostCleanupFailed");
  EXPECT_TRUE(world_.removal->has_finalizer()) << "its pod is still to be removed";
  world_.unreadable.clear();
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "False/HostCleanupFailed");
  EXPECT_TRUE(world_.node);
  EXPECT_FALSE(world_.hand_over_pod);
}

TEST_F(HostCleanup, BelievesNoReportOfAnotherRemoval) {
  world_.machine = World::Machine::Silent;
  run_until("Cleaning");
  world_.node->meta.annotations[std::string{crd::kHostCleanupReportAnnotation}] =
      R"({"uid": "removal-0", "phase": "Succeeded"})";
  world_.run();
  EXPECT_EQ(world_.word(condition::kHostCleaned), "Unknown/Cleaning");
}

TEST_F(HostCleanup, EndsAtOnceWhenTheNodeIsReplacedMeanwhile) {
  world_.machine = World::Machine::Silent;
  run_until("Cleaning");
  world_.replace_node();
  world_.run();
  EXPECT_EQ(world_.summary(), "True/AlreadyReplaced");
  EXPECT_FALSE(world_.node->unschedulable);
  EXPECT_FALSE(world_.hand_over_pod);
}

TEST_F(HostCleanup, IsNotABrakeForOtherRemovals) {
  NodeSummary cleaned = make_summary("a", "a");
  cleaned.ready = false;
  cleaned.being_cleaned = true;
  const std::vector<NodeSummary> census{cleaned, cleaned, cleaned, make_summary("b", "b")};
  EXPECT_EQ(brake(census, {}), std::nullopt);
  auto dead = census;
  for (auto& node : dead) node.being_cleaned = false;
  EXPECT_NE(brake(dead, {}), std::nullopt);
}

TEST(HandOverPod, IsBoundToItsNodeAndGetsNoToken) {
  auto removal = make_active_removal();
  removal.spec.host_cleanup.enabled = true;
  removal.spec.host_cleanup.plan.steps = {crd::CleanupStep::Cni};
  Policy policy;
  policy.host_cleanup_image = "noderemoval:1";
  EXPECT_EQ(
      boost::json::serialize(hand_over_pod(removal, policy, 36)),
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"host-cleanup-removal-1",)"
      R"("labels":{"app.kubernetes.io/name":"noderemoval",)"
      R"("app.kubernetes.io/component":"host-cleanup","noderemoval.dev/removal-uid":"removal-1"},)"
      R"("annotations":{"container.apparmor.security.beta.kubernetes.io/hand-over":"unconfined"},)"
      R"("ownerReferences":[{"apiVersion":"noderemoval.dev/v1alpha1","kind":"NodeRemoval",)"
      R"("name":"gone","uid":"removal-1","controller":true}]},)"
      R"("spec":{"nodeName":"jetson","hostPID":true,"hostNetwork":true,"restartPolicy":"Never",)"
      R"("automountServiceAccountToken":false,"enableServiceLinks":false,)"
      R"("terminationGracePeriodSeconds":1,"activeDeadlineSeconds":600,)"
      R"("tolerations":[{"operator":"Exists"}],"containers":[{"name":"hand-over",)"
      R"("image":"noderemoval:1","args":["host-cleanup","--hand-over",)"
      R"("--removal-uid=removal-1","--node-name=jetson","--node-uid=node-1","--timeout=600",)"
      R"("--steps=CNI"],"terminationMessagePolicy":"FallbackToLogsOnError",)"
      R"("securityContext":{"runAsUser":0,"runAsNonRoot":false,"allowPrivilegeEscalation":true,)"
      R"("readOnlyRootFilesystem":true,"capabilities":{"drop":["ALL"],)"
      R"("add":["SYS_ADMIN","SYS_CHROOT","SYS_PTRACE","DAC_OVERRIDE"]},)"
      R"("seLinuxOptions":{"type":"spc_t"},"appArmorProfile":{"type":"Unconfined"}}}]}})");
}

TEST(HandOverPod, AsksTheMachineToWaitNoLongerThanItTakes) {
  auto removal = make_active_removal();
  removal.spec.host_cleanup.timeout_seconds = 2147483647;
  EXPECT_THAT(boost::json::serialize(hand_over_pod(removal, Policy{}, 36)),
              HasSubstr(R"("--timeout=86400")"));
}

TEST(HandOverPod, IsNoReasonToKeepTheNode) {
  auto pod = make_naked_pod("host-cleanup-x");
  pod.meta.labels["noderemoval.dev/removal-uid"] = "removal-1";
  EXPECT_FALSE(is_hand_over_pod(pod));
  pod.meta.owner_references.push_back({.kind = "NodeRemoval",
                                       .name = "gone",
                                       .uid = "removal-1",
                                       .api_version = "noderemoval.dev/v1alpha1",
                                       .controller = true});
  EXPECT_TRUE(is_hand_over_pod(pod));
}

}  // namespace
}  // namespace reconcilers
