#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/reconcilers/builders.hpp"

/// What decide() undoes when a removal was cancelled or has failed, and that it does nothing else
/// any more.
namespace reconcilers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Observation cancelled_with(std::vector<crd::Pod> pods) {
  auto seen = cordoned_with(std::move(pods));
  seen.removal.meta.deletion_timestamp = kNow;
  return seen;
}

Observation ended_with(crd::ConditionStatus status, std::string_view reason) {
  auto seen = cordoned_with({make_pod("web-1")});
  set_condition(seen.removal, condition::kSucceeded, status, reason, kNow - 1s);
  seen.removal.status.completion_time = kNow - 1s;
  return seen;
}

TEST(Cancel, ReleasesAndUncordonsANodeThatWeCordoned) {
  auto seen = cancelled_with({make_pod("web-1")});
  add_taint(node_of(seen), "gpu");
  EXPECT_THAT(decide_at(seen).actions, ElementsAre(Action{Release{.node = "jetson",
                                                                  .uid = "node-1",
                                                                  .resource_version = "100",
                                                                  .uncordon = true,
                                                                  .taints = {taint_json("gpu")}}}));
}

TEST(Cancel, LeavesANodeCordonedThatWasSoBefore) {
  auto seen = cancelled_with({});
  claim(node_of(seen), kRemovalUid, /*was_unschedulable=*/true);
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Release jetson (node-1)"));
}

TEST(Cancel, TakesItsClaimFromANodeThatSomebodyUncordoned) {
  auto seen = cancelled_with({});
  node_of(seen).unschedulable = false;
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Release jetson (node-1)"));
}

TEST(Cancel, DropsTheFinalizerWhenNothingOfOursIsOnTheNode) {
  const struct {
    std::string name;
    std::function<void(Observation&)> change;
  } kCases[] = {
      {"released",
       [](auto& seen) {
         node_of(seen).meta.annotations.clear();
         node_of(seen).taints_json.clear();
       }},
      {"claimed by another", [](auto& seen) { claim(node_of(seen), "removal-2"); }},
      {"replaced", [](auto& seen) { node_of(seen).meta.uid = "node-9"; }},
      {"being deleted", [](auto& seen) { node_of(seen).meta.deletion_timestamp = kNow; }},
      {"gone", [](auto& seen) { seen.node = std::optional<crd::Node>{}; }},
      {"never bound", [](auto& seen) { seen.removal.status.node_uid.clear(); }},
  };
  for (const auto& [name, change] : kCases) {
    auto seen = cancelled_with({make_pod("web-1")});
    change(seen);
    EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("RemoveFinalizer")) << name;
  }
}

TEST(Cancel, GivesTheNodeBackAlsoWhenSomebodyTookOnlyTheClaimAway) {
  auto seen = cancelled_with({});
  node_of(seen).meta.annotations.clear();
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Release jetson (node-1) and uncordon"));
  node_of(seen).meta.annotations[std::string{crd::kClaimAnnotation}] = "{}";
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Release jetson (node-1) and uncordon"));
  set_condition(seen.removal, condition::kCordoned, crd::ConditionStatus::True, "AlreadyCordoned",
                kNow - 60s);
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Release jetson (node-1)"));
  set_condition(seen.removal, condition::kCordoned, crd::ConditionStatus::False, "Uncordoned",
                kNow - 60s);
  node_of(seen).unschedulable = false;
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Release jetson (node-1)"));
}

TEST(Cancel, AsksForNothingButTheNode) {
  Observation seen;
  seen.removal = make_active_removal();
  seen.removal.meta.deletion_timestamp = kNow;
  const auto decision = decide_at(seen);
  EXPECT_THAT(decision.needs, ElementsAre(FactName::Node));
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

/// The explorer found it: the cordon is done, its answer is lost, the user cancels, and the watch
/// still shows the node as it was before.
TEST(Cancel, LetsGoOfTheNodeOnlyAfterItHasAskedTheApiServerItself) {
  auto seen = cancelled_with({});
  seen.node = std::optional{make_node()};
  seen.node_is_fresh = false;
  const auto decision = decide_at(seen);
  EXPECT_THAT(decision.needs, ElementsAre(FactName::FreshNode));
  EXPECT_THAT(actions_of(decision), IsEmpty());
  cordon(node_of(seen));
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("Release jetson (node-1) and uncordon"));
}

TEST(Cancel, WaitsWhenTheNodeCannotBeRead) {
  auto seen = cancelled_with({});
  seen.node = std::unexpected("timed out");
  const auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_THAT(decision.needs, IsEmpty());
  EXPECT_EQ(decision.requeue, 5s);
}

TEST(Cancel, HasNothingToDoWithoutOurFinalizer) {
  auto seen = cancelled_with({make_pod("web-1")});
  seen.removal.meta.finalizers = {"other/finalizer"};
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty());
}

TEST(Cancel, IsNeverReportedAsSuccess) {
  for (const bool node_gone : {false, true}) {
    auto seen = cancelled_with({});
    if (node_gone) seen.node = std::optional<crd::Node>{};
    EXPECT_FALSE(decide_at(seen).status.is_terminal());
  }
}

TEST(Cancel, SaysWhyItFailsAndDoesNotSayItTwice) {
  auto seen = cancelled_with({});
  set_condition(seen.removal, condition::kSucceeded, crd::ConditionStatus::Unknown, "Draining",
                kNow);
  seen.action_error = "connection refused";
  const auto first = decide_at(seen);
  EXPECT_EQ(message_of(first), "as before The last attempt failed: connection refused");
  seen.removal.status = first.status;
  EXPECT_EQ(message_of(decide_at(seen)), message_of(first));
}

// --- after the end

TEST(Terminal, UncordonsAfterAFailure) {
  for (const auto reason : {"DrainTimedOut", "MigrationTimedOut", "VolumesTimedOut"}) {
    EXPECT_THAT(actions_of(decide_at(ended_with(crd::ConditionStatus::False, reason))),
                ElementsAre("Release jetson (node-1) and uncordon"))
        << reason;
  }
}

TEST(Terminal, LeavesTheNodeCordonedAfterADrain) {
  EXPECT_THAT(actions_of(decide_at(ended_with(crd::ConditionStatus::True, "Drained"))),
              ElementsAre("Release jetson (node-1)"));
}

TEST(Terminal, DropsTheFinalizerOnceTheNodeIsReleased) {
  auto seen = ended_with(crd::ConditionStatus::False, "DrainTimedOut");
  node_of(seen).meta.annotations.clear();
  node_of(seen).taints_json.clear();
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("RemoveFinalizer"));
}

TEST(Terminal, LeavesANodeAloneThatJoinedUnderTheSameName) {
  auto seen = ended_with(crd::ConditionStatus::True, "NodeRemoved");
  node_of(seen) = make_node();
  node_of(seen).meta.uid = "node-9";
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("RemoveFinalizer"));
  seen.removal.meta.finalizers.clear();
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty());
}

TEST(Terminal, StaysSoWhenItsConditionsAreWiped) {
  auto seen = ended_with(crd::ConditionStatus::False, "DrainTimedOut");
  seen.removal.status.conditions = {};
  node_of(seen) = make_node();
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("RemoveFinalizer"));
}

TEST(Terminal, NeverActsOrAsksAgainWithoutTheFinalizer) {
  for (const auto status : {crd::ConditionStatus::True, crd::ConditionStatus::False}) {
    auto seen = ended_with(status, "Whatever");
    seen.removal.meta.finalizers.clear();
    seen.node.reset();
    const auto decision = decide_at(seen, kNow + 24h);
    EXPECT_THAT(actions_of(decision), IsEmpty());
    EXPECT_THAT(decision.needs, IsEmpty());
    EXPECT_FALSE(decision.requeue);
    EXPECT_EQ(decision.status, seen.removal.status);
  }
}

TEST(Terminal, TakesNoteOfALaterGenerationAndNothingElse) {
  auto seen = ended_with(crd::ConditionStatus::True, "NodeRemoved");
  seen.removal.meta.finalizers.clear();
  seen.removal.meta.generation = 5;
  const auto decision = decide_at(seen, kNow + 24h);
  EXPECT_EQ(decision.status.observed_generation, 5);
  EXPECT_EQ(summary(decision), "True/NodeRemoved");
  EXPECT_EQ(decision.status.completion_time, seen.removal.status.completion_time);
  EXPECT_EQ(decision.status.conditions.find(condition::kSucceeded)->last_transition_time,
            kNow - 1s);
}

}  // namespace
}  // namespace reconcilers
