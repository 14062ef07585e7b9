#include "reconcilers/group.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

Observation select_edge() {
  auto seen = first_sight();
  seen.node.reset();
  seen.removal.spec.node_name.clear();
  seen.removal.spec.node_selector.emplace().match_labels["pool"] = "edge";
  seen.matches = std::vector<NodeMatch>{{"a", "uid-a"}, {"b", "uid-b"}, {"c", "uid-c"}};
  return seen;
}

/// Accepted, with these reasons of the nodes a, b and c.
Observation group_of(const std::vector<std::string>& reasons) {
  auto seen = select_edge();
  seen.removal.status.node_uid.clear();
  set_condition(seen.removal, condition::kAccepted, crd::ConditionStatus::True, "Accepted", kNow);
  const std::vector<std::string> names{"a", "b", "c"};
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    seen.removal.status.nodes.push_back(
        {.name = names[i], .uid = "uid-" + names[i], .reason = reasons[i]});
  }
  return seen;
}

void add_child(Observation& seen, const std::string& node, const std::string& reason,
               bool terminal = false) {
  seen.children.push_back({.name = "gone-" + node,
                           .resource_version = "7",
                           .node_name = node,
                           .reason = reason,
                           .terminal = terminal,
                           .pods = crd::PodCounts{.total = 2, .evicted = 1, .remaining = 1}});
}

std::vector<std::string> reasons_of(const Decision& decision) {
  std::vector<std::string> reasons;
  for (const auto& node : decision.status.nodes) reasons.push_back(node.reason);
  return reasons;
}

TEST(Group, FixesItsNodesBeforeItMakesAnything) {
  const auto decision = decide_at(select_edge());
  EXPECT_EQ(word(decision, condition::kAccepted), "True/Accepted");
  EXPECT_THAT(decision.status.nodes, SizeIs(3));
  EXPECT_EQ(decision.status.nodes[1], (crd::SelectedNode{"b", "uid-b", ""}));
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_TRUE(decision.requeue);
}

TEST(Group, DoesNotLookAtTheSelectorAgain) {
  auto seen = group_of({"", ""});
  seen.matches.reset();
  EXPECT_THAT(decide_at(seen).needs, IsEmpty());
}

TEST(Group, StartsOneAfterTheOtherUnlessToldOtherwise) {
  auto seen = group_of({"", "", ""});
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("CreateChild gone-a of a (uid-a)"));
  EXPECT_THAT(reasons_of(decide_at(seen)), ElementsAre("Starting", "", ""));
  seen.removal.spec.max_concurrent = {.value = 2, .percent = false};
  EXPECT_THAT(actions_of(decide_at(seen)), SizeIs(2));
  seen.removal.spec.max_concurrent = {.value = 100, .percent = true};
  EXPECT_THAT(actions_of(decide_at(seen)), SizeIs(3));
  seen.removal.spec.max_concurrent = {.value = 10, .percent = true};
  EXPECT_THAT(actions_of(decide_at(seen)), SizeIs(1));
}

TEST(Group, MakesAChildThatWasWrittenDownAndNotMade) {
  auto seen = group_of({"Starting", "", ""});
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("CreateChild gone-a of a (uid-a)"));
  add_child(seen, "a", "");
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty()) << "the child is there";
}

TEST(Group, FollowsItsChildrenAndTheSumOfTheirPods) {
  auto seen = group_of({"Starting", "Starting", ""});
  seen.removal.spec.max_concurrent = {.value = 2, .percent = false};
  add_child(seen, "a", "Draining");
  add_child(seen, "b", "DrainBlocked");
  const auto decision = decide_at(seen);
  EXPECT_THAT(reasons_of(decision), ElementsAre("Draining", "DrainBlocked", ""));
  EXPECT_EQ(summary(decision), "Unknown/RemovingNodes");
  EXPECT_EQ(message_of(decision), "0 of 3 nodes done; under way: a (Draining), b (DrainBlocked)");
  EXPECT_EQ(decision.status.pods->total, 4);
  EXPECT_EQ(decision.status.pods->evicted, 2);
}

TEST(Group, GoesOnWithTheNextNodeWhenOneHasEndedInWhateverWay) {
  for (const auto* reason : {"NodeRemoved", "DrainTimedOut"}) {
    auto seen = group_of({"Draining", "", ""});
    add_child(seen, "a", reason, true);
    EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("CreateChild gone-b of b (uid-b)"));
  }
}

TEST(Group, TakesAChildThatIsGoneForCancelled) {
  const auto decision = decide_at(group_of({"Draining", "", ""}));
  EXPECT_THAT(reasons_of(decision), ElementsAre("Cancelled", "Starting", ""));
}

TEST(Group, RemembersTheEndOfAChildThatIsGone) {
  EXPECT_THAT(reasons_of(decide_at(group_of({"NodeRemoved", "Starting", ""}))),
              ElementsAre("NodeRemoved", "Starting", ""));
}

TEST(Group, SucceedsWhenAllNodesAreRemoved) {
  auto seen = group_of({"NodeRemoved", "AlreadyReplaced", "NodeAbsent"});
  auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "True/NodeRemoved");
  EXPECT_EQ(message_of(decision), "All 3 nodes are removed.");
  seen = group_of({"Drained"});
  seen.removal.spec.delete_node = false;
  EXPECT_EQ(summary(decide_at(seen)), "True/Drained");
}

TEST(Group, FailsPartiallyWhenOneIsNotAndNamesIt) {
  const auto decision = decide_at(group_of({"NodeRemoved", "DrainTimedOut", "NodeRemoved"}));
  EXPECT_EQ(summary(decision), "False/PartiallyFailed");
  EXPECT_EQ(word(decision, condition::kStalled), "True/PartiallyFailed");
  EXPECT_EQ(message_of(decision),
            "1 of 3 nodes could not be removed: b (DrainTimedOut). See their own NodeRemovals. A "
            "node that has joined again (NodeRejoined) needs one with nodeName and nodeUID.");
}

TEST(Group, HandsDownSuspendAsItIsAndFencedOnlyWhenItIsTrue) {
  auto seen = group_of({"Draining", "", ""});
  add_child(seen, "a", "Draining");
  seen.children.front().fenced = true;
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty());
  seen.removal.spec.suspend = true;
  const auto decision = decide_at(seen);
  EXPECT_THAT(actions_of(decision), ElementsAre("SteerChild gone-a suspend fenced"));
  EXPECT_EQ(summary(decision), "Unknown/Suspended");
  seen.children.front().fenced = false;
  seen.removal.spec.unreachable.fenced = true;
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("SteerChild gone-a suspend fenced"));
  seen.children.front().terminal = true;
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty());
}

TEST(Group, TakesBackOnlyASuspensionOfItsOwn) {
  auto seen = group_of({"Draining", "", ""});
  add_child(seen, "a", "Suspended");
  seen.children.front().suspend = true;
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty()) << "the user wants this one to stand still";
  seen.children.front().suspended_by_parent = true;
  EXPECT_THAT(actions_of(decide_at(seen)), ElementsAre("SteerChild gone-a"));
}

TEST(Group, KeepsTheNumbersOfChildrenThatAreGone) {
  auto seen = group_of({"NodeRemoved", "Draining", ""});
  seen.removal.status.pods = crd::PodCounts{.total = 4, .evicted = 3};
  add_child(seen, "b", "Draining");
  EXPECT_EQ(decide_at(seen).status.pods->total, 4);
}

TEST(Group, StartsNothingWhileItIsSuspended) {
  auto seen = select_edge();
  seen.removal.spec.suspend = true;
  seen.removal.status = decide_at(seen).status;
  EXPECT_THAT(seen.removal.status.nodes, SizeIs(3)) << "those that match later are not removed";
  EXPECT_EQ(summary(decide_at(seen)), "Unknown/Suspended");
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty());
  seen = group_of({"Starting", "", ""});
  seen.removal.spec.suspend = true;
  EXPECT_THAT(actions_of(decide_at(seen)), IsEmpty());
}

TEST(Group, SuspendsItsChildrenWhenItsSpecWasChanged) {
  auto seen = group_of({"Draining", "", ""});
  seen.removal.spec_changed = true;
  add_child(seen, "a", "Draining");
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "Unknown/SpecChanged");
  EXPECT_THAT(actions_of(decision), ElementsAre("SteerChild gone-a suspend"));
}

TEST(Group, LeavesNodesAloneThatHaveJoinedAgain) {
  auto seen = select_edge();
  seen.removed_nodes->value()["b"] = {.uid = "uid-old", .removal = "before", .time = "t"};
  seen.removed_nodes->value()["c"] = {.uid = "uid-c", .removal = "before", .time = "t"};
  EXPECT_THAT(reasons_of(decide_at(seen)), ElementsAre("", "NodeRejoined", ""));
}

TEST(Group, EndsWhenNothingMatches) {
  auto seen = select_edge();
  seen.matches->value().clear();
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "True/NodeAbsent");
  EXPECT_THAT(message_of(decision), HasSubstr("kubectl get nodes -l 'pool=edge'"));
}

TEST(Group, RefusesMoreNodesThanStatusCanHold) {
  auto seen = select_edge();
  seen.matches->value().resize(501);
  EXPECT_EQ(summary(decide_at(seen)), "False/Refused");
  EXPECT_EQ(word(decide_at(seen), condition::kAccepted), "False/TooManyNodes");
}

TEST(Group, OnlyListsItsNodesInADryRun) {
  auto seen = select_edge();
  seen.removal.spec.dry_run = true;
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "True/Planned");
  EXPECT_THAT(decision.status.nodes, SizeIs(3));
  EXPECT_THAT(actions_of(decision), IsEmpty());
}

TEST(Group, SaysInADryRunWhichNodesItWouldLeaveOut) {
  auto seen = select_edge();
  seen.removal.spec.dry_run = true;
  const auto name = known(seen.matches)->front().name;
  (*seen.removed_nodes)->emplace(name, RemovedNode{.uid = "old", .removal = "r", .time = "t"});
  const auto decision = decide_at(seen);
  EXPECT_THAT(decision.status.conditions.find(condition::kSucceeded)->message,
              HasSubstr("2 nodes would be removed; see status.nodes. " + name +
                        " would be left out: removed before and joined again"));
}

TEST(Group, DoesNotMakeAChildAgainThatSomebodyDeletedBeforeItHadAReason) {
  auto seen = select_edge();
  seen.removal.status = decide_at(seen).status;
  seen.removal.status = decide_at(seen).status;
  const auto first = seen.removal.status.nodes.front().name;
  ASSERT_EQ(seen.removal.status.nodes.front().reason, "Starting");
  Child child;
  child.name = child_name("gone", first);
  child.node_name = first;
  seen.children = {child};
  seen.removal.status = decide_at(seen).status;
  EXPECT_EQ(seen.removal.status.nodes.front().reason, "Started");
  seen.children.clear();
  EXPECT_EQ(decide_at(seen).status.nodes.front().reason, "Cancelled");
}

TEST(ChildName, IsAlwaysTheSameAndNeverTooLong) {
  EXPECT_EQ(child_name("pool", "a.b"), "pool-a.b");
  const auto name = child_name(std::string(200, 'p'), std::string(253, 'n'));
  EXPECT_LE(name.size(), 253U);
  EXPECT_EQ(name, child_name(std::string(200, 'p'), std::string(253, 'n')));
  EXPECT_NE(name, child_name(std::string(200, 'p'), std::string(252, 'n') + "m"));
  // Cut behind a dot, it would be no name.
  for (std::size_t dot = 225; dot < 245; ++dot) {
    const auto cut = child_name(std::string(dot, 'p') + ".q", std::string(100, 'n'));
    EXPECT_THAT(cut, testing::Not(testing::HasSubstr(".-"))) << dot;
  }
}

}  // namespace
}  // namespace reconcilers
