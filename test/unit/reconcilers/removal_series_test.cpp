#include "reconcilers/removal_series.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

using crd::ConditionStatus;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

using Removals = std::map<std::string, crd::NodeRemoval>;

crd::NodeRemoval named(const std::string& name, crd::NodeRemoval removal) {
  removal.meta.name = name;
  removal.spec.node_name = "node-of-" + name;
  return removal;
}

crd::NodeRemoval waiting(const std::string& name, std::string_view reason,
                         crd::NodeRemoval removal = make_active_removal()) {
  set_condition(removal, condition::kSucceeded, ConditionStatus::Unknown, reason, kNow - 60s);
  return named(name, std::move(removal));
}

crd::NodeRemoval blocked(const std::string& name,
                         const std::vector<std::pair<std::string, crd::TimePoint>>& blockers) {
  auto removal = waiting(name, "DrainBlocked");
  set_condition(removal, condition::kDrained, ConditionStatus::Unknown, "DrainBlocked", kNow - 40s);
  for (const auto& [reason, since] : blockers) {
    const auto pod = "pod-" + std::to_string(removal.status.blockers.size());
    removal.status.blockers.push_back({"shop/" + pod, pod, reason, "", "", since});
  }
  return removal;
}

crd::NodeRemoval finished(const std::string& name, ConditionStatus status,
                          std::string_view reason) {
  auto removal = blocked(name, {{"PodDisruptionBudget", kNow - 30s}});  // a failure keeps them
  set_condition(removal, condition::kSucceeded, status, reason, kNow);
  removal.status.completion_time = kNow;
  return removal;
}

RemovalSeries series_of(const std::vector<crd::NodeRemoval>& removals, Policy policy = {}) {
  Removals stored;
  for (const auto& removal : removals) stored.emplace(removal.meta.name, removal);
  return removal_series(stored, policy, kNow);
}

/// Without those that are 0.
template <typename Key>
std::map<Key, std::int64_t> seen(std::map<Key, std::int64_t> counts) {
  std::erase_if(counts, [](const auto& entry) { return entry.second == 0; });
  return counts;
}

TEST(RemovalSeries, CountRemovalsByStatusAndReason) {
  const auto series = series_of({make_removal(), waiting("a", "Draining"), waiting("b", "Draining"),
                                 finished("c", ConditionStatus::True, "NodeRemoved"),
                                 finished("d", ConditionStatus::False, "DrainTimedOut")});
  const std::map<RemovalSeries::Summary, std::int64_t> expected{
      {{ConditionStatus::Unknown, "Pending"}, 1},
      {{ConditionStatus::Unknown, "Draining"}, 2},
      {{ConditionStatus::True, "NodeRemoved"}, 1},
      {{ConditionStatus::False, "DrainTimedOut"}, 1}};
  EXPECT_EQ(seen(series.removals), expected);
  EXPECT_EQ(series.nodes_under_way, 2);
}

TEST(RemovalSeries, HaveTheSameNamesWhateverThereIs) {
  const auto nothing = no_removal_series();
  const auto much = series_of({blocked("a", {{"NeedsFencing", kNow}, {"Finalizer", kNow}}),
                               finished("b", ConditionStatus::True, "NodeRemoved")});
  EXPECT_THAT(seen(nothing.removals), IsEmpty());
  EXPECT_EQ(nothing.removals.size(), much.removals.size());
  EXPECT_EQ(nothing.blocked_pods.size(), much.blocked_pods.size());
  EXPECT_EQ(nothing.decisions_owed.size(), much.decisions_owed.size());
}

TEST(RemovalSeries, LoseNoReasonThatNobodyForesaw) {
  const auto series = series_of({blocked("a", {{"Gremlins", kNow}}), waiting("b", "Pondering")});
  EXPECT_EQ(series.blocked_pods.at("Gremlins"), 1);
  EXPECT_EQ(series.removals.at({ConditionStatus::Unknown, "Pondering"}), 1);
}

TEST(RemovalSeries, TellWhatBlocksAnActiveRemovalAndSinceWhen) {
  auto removal = blocked("a", {{"PodDisruptionBudget", kNow - 10s},
                               {"PodDisruptionBudget", kNow - 30s},
                               {"UnmanagedPod", kNow - 20s}});
  removal.status.pods = crd::PodCounts{.terminating = 1, .blocked = 4, .remaining = 5};
  removal.status.blockers_omitted = 1;
  const auto series = series_of({removal, blocked("b", {{"Finalizer", kNow - 5s}})});
  EXPECT_THAT(seen(series.blocked_pods),
              ElementsAre(Pair("Finalizer", 1), Pair("NotListed", 1),
                          Pair("PodDisruptionBudget", 2), Pair("UnmanagedPod", 1)));
  EXPECT_THAT(seen(series.decisions_owed), ElementsAre(Pair("UnmanagedPod", 1)));
  EXPECT_EQ(series.oldest_blocked_age, 30s);

  ASSERT_THAT(series.active, SizeIs(2));
  const auto& active = series.active.front();
  EXPECT_EQ(active.name, "a");
  EXPECT_EQ(active.node, "node-of-a");
  EXPECT_EQ(active.step, "DrainBlocked");
  EXPECT_EQ(active.path, "drain");
  EXPECT_EQ(active.pods->blocked, 4);
  EXPECT_THAT(active.blocked_since, ElementsAre(Pair("PodDisruptionBudget", kNow - 30s),
                                                Pair("UnmanagedPod", kNow - 20s)));
  EXPECT_THAT(active.decisions, ElementsAre("UnmanagedPod"));
}

TEST(RemovalSeries, SayWhenTheStepBeganAlsoWhenItsReasonChangesToAndFro) {
  auto removal = waiting("a", "Draining");
  set_condition(removal, condition::kDrained, ConditionStatus::Unknown, "Draining", kNow - 50s);
  EXPECT_EQ(series_of({removal}).active.front().step_began, kNow - 50s);
  EXPECT_EQ(series_of({blocked("a", {})}).active.front().step_began, kNow - 40s);
  // Only the summary has this reason.
  removal = waiting("a", "Settling");
  set_condition(removal, condition::kVolumesDetached, ConditionStatus::True, "Detached", kNow - 2s);
  EXPECT_EQ(series_of({removal}).active.front().step_began, kNow - 2s);
  // Nothing has been said yet.
  EXPECT_EQ(series_of({make_removal()}).active.front().step_began, kNow - 1h);
}

TEST(RemovalSeries, NothingIsLeftOfARemovalThatHasEndedOrIsCancelled) {
  auto cancelled = blocked("a", {{"UnmanagedPod", kNow - 20s}});
  cancelled.meta.deletion_timestamp = kNow;
  const auto series = series_of({cancelled, finished("b", ConditionStatus::False, "Refused")});
  EXPECT_THAT(seen(series.blocked_pods), IsEmpty());
  EXPECT_THAT(seen(series.decisions_owed), IsEmpty());
  EXPECT_EQ(series.oldest_blocked_age, 0s);
  ASSERT_THAT(series.active, SizeIs(1));
  EXPECT_THAT(series.active.front().blocked_since, IsEmpty());
  EXPECT_THAT(series.active.front().decisions, IsEmpty());
}

TEST(RemovalSeries, TellOfADeadNodeWhatAHumanOwes) {
  auto seen_dead = dead_with({});
  auto removal = waiting("a", "NeedsFencing", seen_dead.removal);
  removal.status.blockers = {{"shop/db-0", "pod-db-0", "NeedsFencing", "", "", kNow - 9s}};
  const auto series = series_of({removal, waiting("b", "NodeProtected", make_removal()),
                                 waiting("c", "TooManyNodesNotReady", seen_dead.removal)});
  EXPECT_THAT(seen(series.decisions_owed),
              ElementsAre(Pair("NeedsFencing", 1), Pair("NodeProtected", 1)));
  EXPECT_TRUE(series.brake_engaged);
  EXPECT_EQ(series.nodes_under_way, 2);
  EXPECT_EQ(series.active.front().path, "dead");
  EXPECT_FALSE(series_of({removal}).brake_engaged);
}

TEST(RemovalSeries, CountTheChildrenInsteadOfTheRemovalThatMadeThem) {
  auto parent = waiting("parent", "SpecChanged");
  parent.status.nodes = {{"jetson", "node-1", "Draining"}};
  parent.status.pods = crd::PodCounts{.remaining = 3};
  const auto series = series_of({parent, blocked("child", {{"Finalizer", kNow}})});
  EXPECT_EQ(series.removals.at({ConditionStatus::Unknown, "SpecChanged"}), 1);
  EXPECT_THAT(seen(series.decisions_owed), ElementsAre(Pair("SpecChanged", 1)));
  EXPECT_EQ(series.nodes_under_way, 1);
  ASSERT_THAT(series.active, SizeIs(1));
  EXPECT_EQ(series.active.front().name, "child");
}

TEST(RemovalSeries, TellAtMostAHundredOneByOneAndThoseThatHaveBegunFirst) {
  std::vector<crd::NodeRemoval> removals;
  for (int i = 0; i < 120; ++i) {
    const bool begun = i >= 70;
    auto removal = waiting("r" + std::to_string(1000 + i), begun ? "Draining" : "BudgetUsedUp",
                           begun ? make_active_removal() : make_removal());
    removal.meta.creation_timestamp = kNow - std::chrono::seconds{i};
    removals.push_back(removal);
  }
  Policy policy;
  policy.max_concurrent_removals = 50;
  const auto series = series_of(removals, policy);
  ASSERT_THAT(series.active, SizeIs(100));
  EXPECT_EQ(series.not_exported, 20);
  EXPECT_EQ(series.active[0].name, "r1119");   // begun, and the oldest of these
  EXPECT_EQ(series.active[50].name, "r1069");  // the oldest of those that wait
  EXPECT_EQ(series.nodes_under_way, 50);
  EXPECT_EQ(series.max_nodes, 50);
  removals.resize(100);
  EXPECT_EQ(series_of(removals).not_exported, 0);
}

}  // namespace
}  // namespace reconcilers
