#include <gtest/gtest.h>

#include <iostream>

#include "controller/log.hpp"
#include "test/model/explorer.hpp"
#include "test/model/scenario.hpp"

namespace model {
namespace {

constexpr PodKinds kOnePod{PodKind::Replicated, PodKind::None, PodKind::None};
constexpr PodKinds kOneStateful{PodKind::Stateful, PodKind::None, PodKind::None};
constexpr PodKinds kTwoPods{PodKind::Replicated, PodKind::Daemon, PodKind::None};
constexpr PodKinds kThreePods{PodKind::Replicated, PodKind::Daemon, PodKind::Replicated};
constexpr PodKinds kStateful{PodKind::Stateful, PodKind::Daemon, PodKind::None};

void expect_no_counterexample(const Scenario& scenario, Check check = Check::SafetyAndLiveness) {
  controller::set_log_level(controller::LogLevel::Error);
  const auto result = explore(scenario, check);
  std::cout << "[ explored ] " << scenario.name << ": " << result.states << " states, "
            << result.transitions << " transitions, depth " << result.depth << ", "
            << result.time.count() << " ms\n";
  EXPECT_FALSE(result.counterexample) << to_text(*result.counterexample);
}

TEST(Model, RemovesAReadyNodeThroughCrashesAndLostReplies) {
  auto scenario = make_scenario("ready node", kTwoPods);
  scenario.start.budget_blocks = true;
  scenario.start.budget = {.crash = 1, .lost_reply = 1, .heartbeat = 1};
  expect_no_counterexample(scenario);
}

TEST(Model, WaitsForAPodThatIsBoundLate) {
  auto scenario = make_scenario("late pod", kThreePods);
  scenario.start.pods[0].phase = PodPhase::Gone;
  scenario.start.pods[2].phase = PodPhase::Unbound;
  scenario.start.budget = {.crash = 1, .heartbeat = 1};
  expect_no_counterexample(scenario);
}

TEST(Model, CancelsAtAnyMoment) {
  auto scenario = make_scenario("cancel", kTwoPods);
  scenario.start.budget = {.crash = 1, .heartbeat = 1, .cancel = 1};
  expect_no_counterexample(scenario);
}

TEST(Model, LeavesANodeCordonedThatWasCordonedBefore) {
  auto scenario = make_scenario("cancel of a cordoned node", kTwoPods);
  scenario.start.cordoned_by_hand = true;
  scenario.start.node.unschedulable = true;
  scenario.start.budget = {.crash = 1, .lost_reply = 1, .cancel = 1};
  expect_no_counterexample(scenario);
}

TEST(Model, HoldsWhenHumansTouchTheNode) {
  auto scenario = make_scenario("humans", kTwoPods);
  scenario.start.budget = {.cancel = 1, .uncordon = 1, .take_claim = 1, .protect = 1};
  expect_no_counterexample(scenario);
}

TEST(Model, StandsStillWhileItIsSuspended) {
  auto scenario = make_scenario("suspend", kTwoPods);
  scenario.start.budget = {.cancel = 1, .suspend = 1, .resume = 1};
  expect_no_counterexample(scenario);
}

TEST(Model, ClearsADeadNodeOnlyWhenThatIsSafe) {
  auto scenario = make_scenario("dying node", kStateful);
  scenario.start.attached = true;
  scenario.start.budget = {.kubelet_stops = 1, .kubelet_returns = 1, .fence = 1};
  expect_no_counterexample(scenario);
}

TEST(Model, RestartsThePodsOfADeadNode) {
  auto scenario = make_scenario("dead node", kTwoPods);
  scenario.start.budget = {.kubelet_stops = 1, .kubelet_returns = 1, .outage = 1};
  expect_no_counterexample(scenario);
}

TEST(Model, LeavesASuccessorOfTheSameNameAlone) {
  auto scenario = make_scenario("successor", kTwoPods);
  scenario.start.budget = {.crash = 1, .delete_node = 1, .join_again = 1};
  expect_no_counterexample(scenario);
}

/// The brake would hold at the first node that is NotReady, were it not for the cleaning.
TEST(Model, HasAMachineCleanedThroughCrashesAndLostReplies) {
  auto scenario = make_cleaning_scenario("clean machine", kOneStateful, "Fail");
  scenario.start.attached = true;
  scenario.policy.brake_min_nodes = 1;
  scenario.policy.min_healthy_percent = 70;
  scenario.start.budget = {.crash = 1, .lost_reply = 1, .cleaning_fails = 1};
  expect_no_counterexample(scenario);
}

TEST(Model, GivesAMachineUpThatCannotBeCleaned) {
  auto scenario = make_cleaning_scenario("unclean machine", {}, "Continue");
  scenario.start.budget = {.kubelet_stops = 1, .kubelet_returns = 1, .cleaning_fails = 1};
  expect_no_counterexample(scenario);
}

TEST(Model, CancelsACleaningAtAnyMoment) {
  auto scenario = make_cleaning_scenario("cancelled cleaning", kOnePod, "Fail");
  scenario.start.budget = {.lost_reply = 1, .cancel = 1, .cleaning_fails = 1};
  expect_no_counterexample(scenario);
}

TEST(Model, HoldsWhenHumansTouchANodeThatIsCleaned) {
  auto scenario = make_cleaning_scenario("humans and a cleaning", {}, "Continue");
  scenario.start.budget = {.uncordon = 1, .suspend = 1, .resume = 1, .protect = 1};
  expect_no_counterexample(scenario);
}

TEST(Model, CleansNoSuccessorOfTheSameName) {
  auto scenario = make_cleaning_scenario("successor of a cleaned node", kOnePod, "Fail");
  scenario.start.budget = {.crash = 1, .delete_node = 1, .join_again = 1};
  expect_no_counterexample(scenario);
}

TEST(Model, IsSafeWithTwoLeadersThatClean) {
  auto scenario = make_cleaning_scenario("two leaders that clean", {}, "Continue");
  scenario.leaders = 2;
  scenario.begins_with = "HandedOver";
  scenario.max_depth = 16;
  scenario.watches_together = true;
  expect_no_counterexample(scenario, Check::Safety);
}

TEST(Model, IsSafeWithTwoLeaders) {
  auto scenario = make_scenario("two leaders", {PodKind::Daemon, PodKind::None, PodKind::None});
  scenario.leaders = 2;
  expect_no_counterexample(scenario, Check::Safety);
}

/// The explorer can fail: an operator that waits for nothing after the cordon loses a pod.
TEST(Model, FindsTheShortestWayToASeededMistake) {
  controller::set_log_level(controller::LogLevel::Error);
  auto scenario = make_scenario("no settle", {PodKind::Replicated, PodKind::None, PodKind::None});
  scenario.start.pods[0].phase = PodPhase::Unbound;
  scenario.policy.settle = std::chrono::seconds{-1};
  const auto found = explore(scenario, Check::Safety).counterexample;
  ASSERT_TRUE(found);
  EXPECT_EQ(found->what, "S3: deletes a node to which a pod may still be bound");
  EXPECT_EQ(found->trace.size(), 11U) << to_text(*found);
  EXPECT_EQ(found->trace.back(), "operator: DELETE node node-1 -> ok");
}

}  // namespace
}  // namespace model
