#include "controller/plugin/removal_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "test/unit/controller/plugin/removals.hpp"

/// The screens that people look at, as they see them.
namespace plugin {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string screen(const crd::NodeRemoval& removal, const Look& look, std::size_t max_lines = 0) {
  return "\n" + render(removal_tree(removal, kNow, look, max_lines), look);
}

TEST(RemovalTree, OfADrainThatIsBlockedAt80Columns) {
  EXPECT_EQ(screen(blocked(), {.width = 80}), R"(
jetson  DrainBlocked  uid 3f2c9e1a  4m10s
[##########----------] 12 of 24 pods gone, 2 terminating, 1 blocked, 4 stay
├─ ✔ Accepted               4m     Bound to Node jetson with UID 3f2c9e1a
├─ ✔ Cordoned               3m55s  Node jetson takes no new pods
├─ ! Drained                3m50s  DrainBlocked
│  └─ ! shop/db-0  2m31s  PodDisruptionBudget: budget shop/db needs 2 healthy...
├─ · PodsMigrated
├─ · VolumesDetached
├─ · NodeDeleted
└─ · LeftoversGone
Next: shop/db-0: budget shop/db needs 2 healthy pods and has 2; raise the
      replicas. Time limit of the drain: 2026-01-31T09:11:10Z, then the removal
      fails.
)");
}

TEST(RemovalTree, OfADrainThatIsBlockedAt200Columns) {
  EXPECT_EQ(screen(blocked(), {.width = 200}), R"(
jetson  DrainBlocked  uid 3f2c9e1a  4m10s
[##########----------] 12 of 24 pods gone, 2 terminating, 1 blocked, 4 stay
├─ ✔ Accepted               4m     Bound to Node jetson with UID 3f2c9e1a
├─ ✔ Cordoned               3m55s  Node jetson takes no new pods
├─ ! Drained                3m50s  DrainBlocked
│  └─ ! shop/db-0  2m31s  PodDisruptionBudget: budget shop/db needs 2 healthy pods and has 2; raise the replicas
├─ · PodsMigrated
├─ · VolumesDetached
├─ · NodeDeleted
└─ · LeftoversGone
Next: shop/db-0: budget shop/db needs 2 healthy pods and has 2; raise the replicas. Time limit of the drain: 2026-01-31T09:11:10Z, then the removal fails.
)");
}

TEST(RemovalTree, InAscii) {
  const auto text = screen(blocked(), {.utf8 = false, .width = 80});
  EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c > 0; })) << text;
  EXPECT_THAT(text, HasSubstr("|- + Accepted"));
  EXPECT_THAT(text, HasSubstr("|  `- ! shop/db-0"));
}

TEST(RemovalTree, HasColoursOnlyWhenAsked) {
  EXPECT_THAT(screen(blocked(), {.color = false}), Not(HasSubstr("\x1b")));
  EXPECT_THAT(screen(blocked(), {.color = true}),
              HasSubstr("\x1b[1mjetson\x1b[0m  \x1b[33mDrainBlocked\x1b[0m"));
}

TEST(RemovalTree, OfOneThatHasEndedHasNoStepsThatWillNotCome) {
  auto removal = removal_of(
      kJetson, R"("completionTime":"2026-01-31T08:14:00Z","conditions":[)" +
                   condition("Accepted", "True", "Accepted", "Bound") + "," +
                   condition("Drained", "False", "DrainTimedOut", "Too late") + "," +
                   condition("Succeeded", "False", "DrainTimedOut", "Not drained within 5 s.") +
                   "]");
  EXPECT_EQ(screen(removal, {.width = 80}), R"(
jetson  DrainTimedOut  4m10s
├─ ✔ Accepted               4m     Bound
└─ ✘ Drained                4m     DrainTimedOut: Too late
End: Not drained within 5 s.
)");
}

TEST(RemovalTree, OfOneThatNobodyHasSeen) {
  EXPECT_EQ(screen(removal_of(kJetson + R"(,"deleteNode":false)", ""), {.width = 80}), R"(
jetson  NotSeen  4m10s
├─ · Accepted
├─ · Cordoned
├─ · Drained
├─ · PodsMigrated
└─ · VolumesDetached
Next: The operator has not looked at it yet. When this stays, see whether the
      operator runs: kubectl -n noderemoval-system get pods
)");
}

TEST(RemovalTree, OfADeadNodeSaysWhyItIsTakenForDead) {
  const auto removal = removal_of(
      kJetson, R"("conditions":[)" + condition("Drained", "False", "NodeNotReady", "not drained") +
                   "," + condition("TerminatingPodsCleared", "Unknown", "NeedsFencing", "1 pod") +
                   "," + condition("Succeeded", "Unknown", "NeedsFencing", "1 pod") +
                   R"(],"evidence":{"ready":"Unknown","notReadySince":"2026-01-31T08:05:00Z",
      "observedSince":"2026-01-31T08:10:50Z","reason":"NodeStatusUnknown","fenced":false},
      "blockers":[{"pod":"shop/db-0","reason":"NeedsFencing","message":"say that it is off",
      "since":"2026-01-31T08:14:00Z"}])");
  EXPECT_EQ(screen(removal, {.width = 100}), R"(
jetson  NeedsFencing  4m10s
Node is not Ready since 10m (NodeStatusUnknown); nobody has said that it is off
├─ · Accepted
├─ · Cordoned
├─ ✘ Drained                4m     NodeNotReady: not drained
├─ ! TerminatingPodsCleared 4m     NeedsFencing
│  └─ ! shop/db-0  60s  NeedsFencing: say that it is off
├─ · PodsMigrated
├─ · VolumesDetached
├─ · NodeDeleted
└─ · LeftoversGone
Next: shop/db-0: say that it is off.
)");
}

TEST(RemovalTree, OfAMigrationNamesTheWorkloadsThatAreNotReady) {
  const auto removal = removal_of(
      kJetson, R"("conditions":[)" + condition("Drained", "True", "Drained", "No pod") + "," +
                   condition("PodsMigrated", "Unknown", "WaitingForMigration", "1 of 2") + "," +
                   condition("Succeeded", "Unknown", "WaitingForMigration", "1 of 2") +
                   R"(],"workloads":[
      {"kind":"ReplicaSet","namespace":"shop","name":"web","desired":3,"ready":2},
      {"kind":"ReplicaSet","namespace":"shop","name":"api","desired":1,"ready":1}])");
  const auto text = screen(removal, {.width = 80});
  EXPECT_THAT(text, HasSubstr("ReplicaSet shop/web  2 of 3 ready on other nodes"));
  EXPECT_THAT(text, Not(HasSubstr("shop/api")));
}

TEST(RemovalTree, OfASelectorHasItsNodes) {
  auto removal =
      removal_of(R"("nodeSelector":{"matchLabels":{"pool":"edge"}})",
                 R"("pods":{"total":30,"evicted":3},"nodes":[
      {"name":"edge-1","reason":"NodeRemoved"},{"name":"edge-2","reason":"Draining"},
      {"name":"edge-3"}],"conditions":[)" +
                     condition("Succeeded", "Unknown", "RemovingNodes", "1 of 3 done") + "]");
  EXPECT_EQ(screen(removal, {.width = 80}), R"(
jetson  RemovingNodes  3 nodes  4m10s
[##------------------] 3 of 30 pods gone
├─ ✔ edge-1  NodeRemoved
├─ ◌ edge-2  Draining
└─ · edge-3
Next: 1 of 3 done
)");
}

TEST(RemovalTree, FitsIntoAnyWindowAndKeepsWhatIsUnderWay) {
  auto removal = blocked();
  removal.status.blockers.resize(20, removal.status.blockers.front());
  removal.status.blockers_omitted = 5;
  const Look look{.width = 80};
  for (std::size_t height = 1; height <= 40; ++height) {
    const auto lines = removal_tree(removal, kNow, look, height);
    EXPECT_LE(lines.size(), height);
    for (const auto& line : lines)
      EXPECT_LE(render(line, {.utf8 = false, .width = 80}).size(), 80U);
    const auto text = render(lines, look);
    if (height < 8) continue;
    EXPECT_THAT(text, HasSubstr("! shop/db-0")) << height;
    EXPECT_THAT(text, HasSubstr("Next: ")) << height;
  }
  EXPECT_THAT(screen(removal, look, 20), HasSubstr("+18 more"));
}

TEST(RemovalTree, CannotSteerTheTerminal) {
  auto removal = blocked();
  for (auto* text : {&removal.meta.name, &removal.spec.node_name, &removal.status.node_uid,
                     &removal.status.blockers[0].pod, &removal.status.blockers[0].reason,
                     &removal.status.blockers[0].message}) {
    *text += "\x1b[2J\n";
  }
  auto conditions = removal.status.conditions;
  for (const auto& each : conditions.all()) {
    removal.status.conditions.set(each.type, each.status, each.reason + "\x1b[2J", "\x1b[2J\n",
                                  kNow, 1);
  }
  removal.status.evidence.emplace().reason = "\x1b[2J";
  removal.status.evidence->fenced_by = "\x1b[2J";
  auto& workload = removal.status.workloads.emplace_back();
  workload.kind = workload.ns = workload.name = "\x1b[2J";
  workload.desired = 1;
  const auto text = screen(removal, {.color = false, .width = 80});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_EQ(std::ranges::count(text, '\n'),
            std::ranges::count(screen(blocked(), {.width = 80}), '\n') + 1)
      << "one line more for the evidence, and none for the line breaks\n"
      << text;
}

}  // namespace
}  // namespace plugin
