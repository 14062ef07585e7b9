#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/reconcilers/builders.hpp"

/// decide() from the first look at a NodeRemoval to the cordon of its node, and what stops it
/// there.
namespace reconcilers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// --- the first look

TEST(Accept, AsksForTheNodeBeforeAnythingElse) {
  Observation seen;
  seen.removal = make_removal();
  const auto decision = decide_at(seen);
  EXPECT_THAT(decision.needs, ElementsAre(FactName::Node));
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(Accept, AsksForTheOtherNodesBeforeItBegins) {
  auto seen = first_sight();
  seen.census.reset();
  const auto decision = decide_at(seen);
  EXPECT_THAT(decision.needs, ElementsAre(FactName::Census));
  EXPECT_EQ(word(decision, condition::kAccepted), "none");
}

TEST(Accept, BindsTheUidAndAddsTheFinalizerBeforeItTouchesTheNode) {
  const auto decision = decide_at(first_sight());
  EXPECT_THAT(actions_of(decision), ElementsAre("AddFinalizer"));
  EXPECT_EQ(decision.status.node_uid, "node-1");
  EXPECT_EQ(decision.status.start_time, kNow);
  EXPECT_EQ(decision.status.observed_generation, 1);
  EXPECT_EQ(word(decision, condition::kAccepted), "True/Accepted");
  EXPECT_EQ(summary(decision), "Unknown/Accepted");
}

TEST(Accept, DoesNotLookAtTheGuardsAgainOnceItHasBegun) {
  auto seen = cordoned_with({make_pod("web-1")});
  seen.census.reset();
  node_of(seen).meta.labels["node-role.kubernetes.io/control-plane"] = "";
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Evict shop/web-1 (pod-web-1)"));
}

TEST(Accept, PutsItsFinalizerBackWhenSomebodyRemovedIt) {
  auto seen = cordoned_with({make_pod("web-1")});
  seen.removal.meta.finalizers = {"other/finalizer"};
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("AddFinalizer"));
}

TEST(Accept, WritesAllThatKstatusReadsWhileItIsInProgress) {
  const auto decision = decide_at(first_sight());
  EXPECT_EQ(word(decision, condition::kReconciling), "True/Accepted");
  EXPECT_EQ(word(decision, condition::kStalled), "False/Accepted");
  EXPECT_FALSE(decision.status.completion_time);
}

// --- the end before the beginning

TEST(Accept, FailsAtOnceWhenTheSpecIsInvalid) {
  auto seen = first_sight();
  seen.removal.spec.node_name = "Jetson";
  seen.node.reset();
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "False/InvalidSpec");
  EXPECT_EQ(word(decision, condition::kAccepted), "False/InvalidSpec");
  EXPECT_EQ(word(decision, condition::kStalled), "True/InvalidSpec");
  EXPECT_EQ(word(decision, condition::kReconciling), "False/InvalidSpec");
  EXPECT_EQ(decision.status.completion_time, kNow);
  EXPECT_THAT(decision.needs, IsEmpty());
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(Accept, IsDoneWhenThereIsNoSuchNode) {
  auto seen = first_sight();
  seen.node = std::optional<crd::Node>{};
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "True/NodeAbsent");
  EXPECT_EQ(decision.status.completion_time, kNow);
  EXPECT_EQ(word(decision, condition::kStalled), "False/NodeAbsent");
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(Accept, LeavesANodeAloneThatIsNotThePinnedOne) {
  auto seen = first_sight();
  seen.removal.spec.node_uid = "node-0";
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "True/AlreadyReplaced");
  EXPECT_EQ(decision.status.node_uid, "");
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(Accept, TakesTheNodeThatIsPinned) {
  auto seen = first_sight();
  seen.removal.spec.node_uid = "node-1";
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("AddFinalizer"));
}

TEST(Accept, FailsWhenAGuardRefusesForGood) {
  auto seen = first_sight();
  node_of(seen).meta.labels["node-role.kubernetes.io/control-plane"] = "";
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "False/Refused");
  EXPECT_EQ(word(decision, condition::kAccepted), "False/ControlPlaneNode");
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(Accept, WaitsWhenAGuardRefusesForNow) {
  auto seen = first_sight();
  node_of(seen).meta.annotations[std::string{crd::kProtectAnnotation}] = "";
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/NodeProtected");
  EXPECT_EQ(word(decision, condition::kAccepted), "Unknown/NodeProtected");
  EXPECT_EQ(decision.requeue, 5s);
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(Accept, WaitsForAnotherRemovalOfTheSameNode) {
  auto seen = first_sight();
  claim(node_of(seen), "removal-2");
  seen.others = {{.name = "first", .uid = "removal-2", .node_name = "jetson", .older = true}};
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/ClaimedByOther");
  EXPECT_EQ(decision.requeue, 5s);
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(Accept, IsBoundAtFirstSightSoThatItWaitsForThisNodeAndNotForItsSuccessor) {
  auto seen = first_sight();
  node_of(seen).meta.annotations[std::string{crd::kProtectAnnotation}] = "";
  seen.removal.status = decide_at(seen).status;
  EXPECT_EQ(seen.removal.status.node_uid, "node-1");
  EXPECT_FALSE(seen.removal.status.start_time);
  node_of(seen) = make_node();
  node_of(seen).meta.uid = "node-9";
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "True/AlreadyReplaced");
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

// --- cordon

/// Accepted, and nothing is done to the node yet.
Observation accepted() {
  auto seen = first_sight();
  seen.removal = make_active_removal();
  seen.removal.status.conditions.remove(condition::kCordoned);
  return seen;
}

TEST(Cordon, ClaimsAndTaintsTheNodeInOneRequest) {
  auto seen = accepted();
  add_taint(node_of(seen), "gpu");
  const auto decision = decide_at(seen);
  EXPECT_THAT(decision.actions,
              ElementsAre(Action{reconcilers::Cordon{
                  .node = "jetson",
                  .uid = "node-1",
                  .resource_version = "100",
                  .was_unschedulable = false,
                  .taints = {taint_json("gpu"), taint_json("noderemoval.dev/removing")}}}));
  EXPECT_EQ(summary(decision), "Unknown/Cordoning");
}

TEST(Cordon, KeepsFieldsOfOtherTaintsAndHasItsOwnTaintOnce) {
  auto seen = accepted();
  const boost::json::object other{
      {"key", "a"}, {"effect", "NoExecute"}, {"timeAdded", "2026-01-01"}};
  node_of(seen).taints_json = {taint_json(crd::kRemovingTaint, "PreferNoSchedule"), other};
  const auto decision = decide_at(seen);
  ASSERT_EQ(decision.actions.size(), 1U);
  EXPECT_EQ(std::get<reconcilers::Cordon>(decision.actions.front()).taints,
            (boost::json::array{other, taint_json(crd::kRemovingTaint)}));
}

TEST(Cordon, RemembersWhetherTheNodeWasCordonedBefore) {
  const struct {
    std::string name;
    std::function<void(Observation&)> change;
    bool was_unschedulable;
  } kCases[] = {
      {"schedulable", [](auto&) {}, false},
      {"cordoned by an administrator", [](auto& seen) { node_of(seen).unschedulable = true; },
       true},
      {"left behind by a removal that cordoned it",
       [](auto& seen) {
         node_of(seen).unschedulable = true;
         claim(node_of(seen), "removal-0", false);
       },
       false},
      {"schedulable, with a claim that says otherwise",
       [](auto& seen) { claim(node_of(seen), "removal-0", true); }, false},
      {"left behind by a removal that found it cordoned",
       [](auto& seen) {
         node_of(seen).unschedulable = true;
         claim(node_of(seen), "removal-0", true);
       },
       true},
      {"claimed in a language we do not know",
       [](auto& seen) {
         node_of(seen).unschedulable = true;
         node_of(seen).meta.annotations[std::string{crd::kClaimAnnotation}] = "gibberish";
       },
       true},
      {"cordoned by us, and the claim is lost",
       [](auto& seen) {
         node_of(seen).unschedulable = true;
         set_condition(seen.removal, condition::kCordoned, crd::ConditionStatus::True, "Cordoned",
                       kNow - 60s);
       },
       false},
      {"cordoned before us, and the claim is lost",
       [](auto& seen) {
         node_of(seen).unschedulable = true;
         set_condition(seen.removal, condition::kCordoned, crd::ConditionStatus::True,
                       "AlreadyCordoned", kNow - 60s);
       },
       true},
  };
  for (const auto& [name, change, was_unschedulable] : kCases) {
    auto seen = accepted();
    change(seen);
    const auto decision = decide_at(seen);
    ASSERT_EQ(decision.actions.size(), 1U) << name << ": " << testing::PrintToString(decision);
    const auto* action = std::get_if<reconcilers::Cordon>(&decision.actions.front());
    ASSERT_NE(action, nullptr) << name << ": " << testing::PrintToString(decision);
    EXPECT_EQ(action->was_unschedulable, was_unschedulable) << name;
  }
}

TEST(Cordon, IsDoneWhenTheNodeShowsTheClaimAndIsUnschedulable) {
  auto seen = cordoned_with({make_pod("web-1")});
  seen.removal.status.conditions.remove(condition::kCordoned);
  const auto decision = decide_at(seen);
  EXPECT_EQ(word(decision, condition::kCordoned), "True/Cordoned");
  EXPECT_THAT(actions_of(decision), ElementsAre("Evict shop/web-1 (pod-web-1)"));
}

TEST(Cordon, PutsItsTaintBack) {
  auto seen = cordoned_with({make_pod("web-1")});
  node_of(seen).taints_json.clear();
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/Cordoning");
  EXPECT_THAT(actions_of(decision), ElementsAre("Cordon jetson (node-1)"));
}

TEST(Cordon, RecordsWhoHadCordonedTheNodeInCaseTheClaimIsLost) {
  auto seen = cordoned_with({make_pod("web-1")});
  claim(node_of(seen), kRemovalUid, /*was_unschedulable=*/true);
  EXPECT_EQ(word(decide_at(seen), condition::kCordoned), "True/AlreadyCordoned");
  seen.removal.status = decide_at(seen).status;
  node_of(seen).meta.annotations.clear();
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/Cordoning");
  EXPECT_EQ(word(decision, condition::kCordoned), "True/AlreadyCordoned");
}

TEST(Cordon, WaitsWhenAnotherRemovalWasFaster) {
  auto seen = accepted();
  claim(node_of(seen), "removal-2");
  seen.others = {{.name = "first", .uid = "removal-2", .node_name = "jetson", .older = true}};
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/ClaimedByOther");
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(decision.requeue, 5s);
}

TEST(Cordon, StopsWhenSomebodyUncordonsTheNode) {
  for (const bool claim_left : {true, false}) {
    auto seen = cordoned_with({make_pod("web-1")});
    node_of(seen).unschedulable = false;
    if (!claim_left) node_of(seen).meta.annotations.clear();
    const auto decision = decide_at(seen);
    EXPECT_EQ(summary(decision), "Unknown/Uncordoned");
    EXPECT_EQ(word(decision, condition::kCordoned), "False/Uncordoned");
    EXPECT_THAT(actions_of(decision), IsEmpty());
  }
}

TEST(Cordon, LooksAgainByItselfWhileItIsHeldUncordoned) {
  // After a restart nothing watches the node here: the watch begins only with the question for its
  // pods.
  auto seen = cordoned_with({});
  node_of(seen).unschedulable = false;
  EXPECT_TRUE(decide_at(seen).requeue.has_value());
}

TEST(Cordon, GoesOnWhenTheNodeIsCordonedAgain) {
  auto seen = cordoned_with({make_pod("web-1")});
  set_condition(seen.removal, condition::kCordoned, crd::ConditionStatus::False, "Uncordoned",
                kNow - 30s);
  const auto decision = decide_at(seen);
  EXPECT_EQ(word(decision, condition::kCordoned), "True/Cordoned");
  EXPECT_EQ(decision.status.conditions.find(condition::kCordoned)->last_transition_time, kNow);
  EXPECT_THAT(actions_of(decision), ElementsAre("Evict shop/web-1 (pod-web-1)"));
}

// --- suspend

TEST(Suspend, BeginsNothing) {
  auto seen = first_sight();
  seen.removal.spec.suspend = true;
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/Suspended");
  EXPECT_EQ(word(decision, condition::kAccepted), "none");
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(Suspend, SendsNothingMoreAndKeepsWhatIsDone) {
  auto seen = cordoned_with({make_pod("web-1"), terminating(make_pod("web-2"))});
  seen.removal.spec.suspend = true;
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/Suspended");
  EXPECT_EQ(word(decision, condition::kCordoned), "True/Cordoned");
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(Suspend, StopsTheClocksOfStepsThatAreUnderWay) {
  auto seen = cordoned_with({make_pod("web-1")});
  set_condition(seen.removal, condition::kDrained, crd::ConditionStatus::Unknown, "Draining",
                kNow - 2h);
  seen.removal.spec.suspend = true;
  auto decision = decide_at(seen);
  seen.removal.status = decision.status;
  seen.removal.spec.suspend = false;
  decision = decide_at(seen, kNow + 1h);
  EXPECT_EQ(summary(decision), "Unknown/Draining") << "and not DrainTimedOut";
  EXPECT_EQ(decision.status.conditions.find(condition::kDrained)->last_transition_time, kNow + 1h);
}

TEST(Suspend, DoesNotHoldBackTheEnd) {
  auto seen = cordoned_with({});
  seen.removal.spec.suspend = true;
  seen.node = std::optional<crd::Node>{};
  EXPECT_EQ(summary(decide_at(seen)), "True/NodeRemoved");
}

// --- facts that nobody can tell

TEST(UnknownFacts, AreWaitedForInEveryStep) {
  const auto error = std::unexpected(std::string{"connection refused"});
  auto workload_missing = cordoned_with({});
  workload_missing.removal.status.workloads = {{"ReplicaSet", "shop", "web", "owner-web", 1, 0}};
  auto gone = cordoned_with({});
  gone.node = std::optional<crd::Node>{};
  const struct {
    std::string name;
    Observation seen;
    std::function<void(Observation&)> forget;
  } kCases[] = {
      {"node at first", first_sight(), [&](auto& seen) { seen.node = error; }},
      {"node later", cordoned_with({}), [&](auto& seen) { seen.node = error; }},
      {"census at first", first_sight(), [&](auto& seen) { seen.census = error; }},
      {"census before the delete", cordoned_with({}), [&](auto& seen) { seen.census = error; }},
      {"pods", cordoned_with({}), [&](auto& seen) { seen.pods = error; }},
      {"pods of a dead node", dead_with({}), [&](auto& seen) { seen.pods = error; }},
      {"census for the brake", dead_with({make_pod("web-1")}),
       [&](auto& seen) { seen.census = error; }},
      {"workloads", workload_missing, [&](auto& seen) { seen.workloads = error; }},
      {"attachments", cordoned_with({}), [&](auto& seen) { seen.attachments = error; }},
      {"leftovers", gone, [&](auto& seen) { seen.leftovers = error; }},
  };
  for (const auto& [name, known_facts, forget] : kCases) {
    auto seen = known_facts;
    forget(seen);
    const auto decision = decide_at(seen);
    EXPECT_EQ(summary(decision), "Unknown/ApiUnavailable") << name;
    EXPECT_THAT(message_of(decision), HasSubstr("connection refused")) << name;
    EXPECT_THAT(actions_of(decision), IsEmpty()) << name;
    EXPECT_THAT(decision.needs, IsEmpty()) << name;
    EXPECT_EQ(decision.requeue, 5s) << name;
  }
}

}  // namespace
}  // namespace reconcilers
