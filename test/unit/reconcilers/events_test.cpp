#include "reconcilers/events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

using crd::ConditionStatus;
using testing::ElementsAre;
using testing::IsEmpty;

std::string in_words(const EventNote& event) {
  using On = EventNote::On;
  const auto* on = event.on == On::Both ? "both" : event.on == On::Node ? "node" : "removal";
  return (event.warning ? "Warning " : "Normal ") + event.reason + " (" + event.action + ") on " +
         on + ": " + event.note + (event.pod ? " [" + describe(*event.pod) + "]" : "");
}

std::vector<std::string> in_words(const std::vector<EventNote>& events) {
  std::vector<std::string> texts;
  for (const auto& event : events) texts.push_back(in_words(event));
  return texts;
}

crd::NodeRemoval removal_with(ConditionStatus succeeded, std::string_view reason) {
  auto removal = make_active_removal();
  set_condition(removal, condition::kSucceeded, succeeded, reason, kNow);
  return removal;
}
crd::NodeRemoval in_progress(std::string_view reason = "Draining") {
  return removal_with(ConditionStatus::Unknown, reason);
}
crd::NodeRemoval with(crd::NodeRemoval removal, std::string_view type, ConditionStatus status,
                      std::string_view reason) {
  set_condition(removal, type, status, reason, kNow);
  return removal;
}

crd::Blocker blocker(const std::string& pod, std::string reason) {
  return {.pod = "shop/" + pod,
          .uid = "pod-" + pod,
          .reason = std::move(reason),
          .message = "why " + pod + " stays",
          .pdb = {},
          .since = kNow};
}
crd::NodeRemoval blocked(std::string_view reason, std::vector<crd::Blocker> blockers) {
  auto removal = in_progress(reason);
  removal.status.blockers = std::move(blockers);
  return removal;
}

crd::NodeRemoval with_evidence(crd::NodeRemoval removal, std::string fenced_by = {}) {
  removal.status.evidence = crd::Evidence{.ready = ConditionStatus::Unknown,
                                          .not_ready_since = kNow - 400s,
                                          .observed_since = kNow - 390s,
                                          .reason = "NodeStatusUnknown",
                                          .message = "Kubelet stopped posting node status.",
                                          .fenced = !fenced_by.empty(),
                                          .fenced_by = std::move(fenced_by)};
  return removal;
}
/// NotReady for a while, and not yet judged dead.
crd::NodeRemoval silent() {
  return with(with_evidence(in_progress("NodeNotReady")), condition::kDrained,
              ConditionStatus::False, "NodeNotReady");
}
crd::NodeRemoval clearing(std::string_view reason, std::string_view summary) {
  auto removal =
      with(silent(), condition::kTerminatingPodsCleared, ConditionStatus::Unknown, reason);
  return with(removal, condition::kSucceeded, ConditionStatus::Unknown, summary);
}

crd::NodeRemoval not_begun() { return make_removal(); }
crd::NodeRemoval accepted() {
  auto removal = with(make_removal(), condition::kAccepted, ConditionStatus::True, "Accepted");
  removal.status.node_uid = kNodeUid;
  return with(removal, condition::kSucceeded, ConditionStatus::Unknown, "Accepted");
}
crd::NodeRemoval untouched(ConditionStatus succeeded, std::string_view reason) {
  return with(make_removal(), condition::kSucceeded, succeeded, reason);
}

struct Case {
  std::string what;
  crd::NodeRemoval before;
  crd::NodeRemoval after;
  std::vector<std::string> expected;
};

class EventsTest : public testing::TestWithParam<Case> {};

TEST_P(EventsTest, AreThoseThatThisChangeIsWorth) {
  const auto& [what, before, after, expected] = GetParam();
  EXPECT_EQ(in_words(events_between(before, after.status)), expected) << what;
  EXPECT_THAT(in_words(events_between(after, after.status)), IsEmpty())
      << what << ": a restart repeats it";
}

INSTANTIATE_TEST_SUITE_P(
    OfProgress, EventsTest,
    testing::Values(
        Case{"nothing to tell", in_progress("Accepted"), in_progress("Draining"), {}},
        Case{"begins", not_begun(), accepted(), {"Normal Accepted (Accept) on removal: as before"}},
        Case{"only planned",
             not_begun(),
             with(untouched(ConditionStatus::True, "Planned"), condition::kAccepted,
                  ConditionStatus::True, "Planned"),
             {"Normal Planned (Finish) on removal: as before"}},
        Case{"cordoned",
             accepted(),
             in_progress(),
             {"Normal Cordoned (Cordon) on both: as before; a cancel makes it schedulable again"}},
        Case{"cordoned before",
             accepted(),
             with(in_progress(), condition::kCordoned, ConditionStatus::True, "AlreadyCordoned"),
             {"Normal AlreadyCordoned (Cordon) on both: as before; it was cordoned before, and "
              "stays so after a cancel"}},
        Case{"migration is given up",
             in_progress("WaitingForMigration"),
             with(in_progress("DeletingNode"), condition::kPodsMigrated, ConditionStatus::False,
                  "TimedOut"),
             {"Warning MigrationTimedOut (GoOn) on removal: as before. The removal goes on."}},
        Case{"volumes are given up",
             in_progress("WaitingForVolumes"),
             with(in_progress("DeletingNode"), condition::kVolumesDetached, ConditionStatus::False,
                  "TimedOut"),
             {"Warning VolumesTimedOut (GoOn) on removal: as before. The removal goes on."}},
        Case{"the Node is deleted",
             in_progress("DeletingNode"),
             with(in_progress("CheckingLeftovers"), condition::kNodeDeleted, ConditionStatus::True,
                  "Deleted"),
             {"Normal NodeDeleted (DeleteNode) on removal: as before (UID node-1)"}},
        Case{"somebody deleted the Node",
             in_progress(),
             with(in_progress("CheckingLeftovers"), condition::kNodeDeleted, ConditionStatus::True,
                  "GoneAlready"),
             {"Normal GoneAlready (DeleteNode) on removal: as before (UID node-1)"}}));

INSTANTIATE_TEST_SUITE_P(
    OfHealth, EventsTest,
    testing::Values(
        Case{"not ready",
             in_progress(),
             silent(),
             {"Warning NodeNotReady (Wait) on both: as before"}},
        Case{"judged dead",
             silent(),
             clearing("ClearingTerminatingPods", "ClearingTerminatingPods"),
             {"Warning DeadNode (DeletePods) on both: Node jetson is judged dead: NotReady since "
              "2023-11-14T22:06:40Z (Ready is Unknown, NodeStatusUnknown: Kubelet stopped posting "
              "node status.), seen so since 2023-11-14T22:06:50Z. Its pods are deleted instead of "
              "evicted."}},
        Case{"judged dead, and off",
             silent(),
             with_evidence(clearing("ClearingTerminatingPods", "WaitingForMigration"),
                           "spec.unreachable.fenced"),
             {"Warning DeadNode (DeletePods) on both: Node jetson is judged dead: NotReady since "
              "2023-11-14T22:06:40Z (Ready is Unknown, NodeStatusUnknown: Kubelet stopped posting "
              "node status.), seen so since 2023-11-14T22:06:50Z, and asserted to be off by "
              "spec.unreachable.fenced. Its pods are deleted instead of evicted."}},
        Case{"the brake is no judgement",
             silent(),
             clearing("TooManyNodesNotReady", "TooManyNodesNotReady"),
             {"Warning TooManyNodesNotReady (Wait) on removal: as before"}},
        Case{"ready again",
             silent(),
             in_progress(),
             {"Normal NodeRecovered (Drain) on both: Node jetson is Ready again; it was NotReady "
              "since 2023-11-14T22:06:40Z."}}));

INSTANTIATE_TEST_SUITE_P(
    OfWhatIsInTheWay, EventsTest,
    testing::Values(
        Case{"waits from the start",
             not_begun(),
             untouched(ConditionStatus::Unknown, "NodeProtected"),
             {"Warning NodeProtected (Wait) on removal: as before"}},
        Case{"uncordoned by somebody",
             in_progress(),
             in_progress("Uncordoned"),
             {"Warning Uncordoned (Wait) on both: as before"}},
        Case{
            "one for each reason",
            in_progress(),
            blocked("DrainBlocked", {blocker("a", "PodDisruptionBudget"), blocker("b", "Finalizer"),
                                     blocker("c", "PodDisruptionBudget")}),
            {"Warning DrainBlocked (Wait) on both: PodDisruptionBudget blocks 2 pods, such as "
             "shop/a: why a stays [shop/a (pod-a)]",
             "Warning DrainBlocked (Wait) on both: Finalizer blocks 1 pod, shop/b: why b stays "
             "[shop/b (pod-b)]"}},
        Case{"no more for the next pod",
             blocked("DrainBlocked", {blocker("a", "PodDisruptionBudget")}),
             blocked("DrainBlocked", {blocker("c", "PodDisruptionBudget")}),
             {}},
        Case{"another reason beside the first",
             blocked("DrainBlocked", {blocker("a", "PodDisruptionBudget")}),
             blocked("DrainBlocked",
                     {blocker("a", "PodDisruptionBudget"), blocker("b", "UnmanagedPod")}),
             {"Warning DrainBlocked (Wait) on both: UnmanagedPod blocks 1 pod, shop/b: why b stays "
              "[shop/b (pod-b)]"}},
        Case{"fencing and something else",
             in_progress(),
             blocked("NeedsFencing", {blocker("db", "NeedsFencing"), blocker("b", "Finalizer")}),
             {"Warning NeedsFencing (Wait) on both: NeedsFencing blocks 1 pod, shop/db: why db "
              "stays [shop/db (pod-db)]",
              "Warning Blocked (Wait) on both: Finalizer blocks 1 pod, shop/b: why b stays "
              "[shop/b (pod-b)]"}}));

INSTANTIATE_TEST_SUITE_P(
    OfTheEnd, EventsTest,
    testing::Values(Case{"removed",
                         in_progress("DeletingNode"),
                         removal_with(ConditionStatus::True, "NodeRemoved"),
                         {"Normal NodeRemoved (Finish) on removal: as before"}},
                    Case{"drained",
                         in_progress(),
                         removal_with(ConditionStatus::True, "Drained"),
                         {"Normal Drained (Finish) on both: as before"}},
                    Case{"failed",
                         in_progress(),
                         removal_with(ConditionStatus::False, "DrainTimedOut"),
                         {"Warning DrainTimedOut (Finish) on both: as before"}},
                    Case{"failed before it began",
                         not_begun(),
                         untouched(ConditionStatus::False, "InvalidSpec"),
                         {"Warning InvalidSpec (Finish) on removal: as before"}}));

TEST(Events, AreNotMadeOfAnEmptyStatus) {
  EXPECT_THAT(in_words(events_between(make_removal(), crd::NodeRemovalStatus{})), IsEmpty());
}

TEST(Events, OnlyTheEndIsMarkedAsSuch) {
  const auto only = [](const crd::NodeRemoval& before, const crd::NodeRemoval& after) {
    return events_between(before, after.status).at(0).is_end;
  };
  EXPECT_TRUE(only(in_progress(), removal_with(ConditionStatus::True, "NodeRemoved")));
  EXPECT_FALSE(only(in_progress(), in_progress("Uncordoned")));
}

TEST(Events, SayThatATimeToLiveIsIgnored) {
  auto removal = in_progress("DeletingNode");
  removal.spec.ttl_seconds_after_finished = 60;
  const auto reasons = [&] {
    std::vector<std::string> reasons;
    const auto after = removal_with(ConditionStatus::True, "NodeRemoved").status;
    for (const auto& event : events_between(removal, after)) reasons.push_back(event.reason);
    return reasons;
  };
  EXPECT_THAT(reasons(), ElementsAre("NodeRemoved"));
  removal.meta.labels["app.kubernetes.io/managed-by"] = "Helm";
  EXPECT_THAT(reasons(), ElementsAre("NodeRemoved", "TTLIgnored"));
}

Release release(bool uncordon) {
  return {.node = "jetson",
          .uid = std::string{kNodeUid},
          .resource_version = "100",
          .uncordon = uncordon,
          .taints = {}};
}

TEST(Events, SayWhatACancelUndid) {
  auto removal = in_progress();
  removal.meta.deletion_timestamp = kNow;
  removal.status.pods = crd::PodCounts{.total = 24, .evicted = 2};
  auto node = make_node();
  node.unschedulable = true;
  EXPECT_THAT(
      in_words(events_of(removal, {release(true)}, node)),
      ElementsAre("Normal Released (Uncordon) on node: Cancelled: Node jetson takes new pods"));
  EXPECT_THAT(
      in_words(events_of(removal, {release(false)}, node)),
      ElementsAre("Normal Released (Release) on node: Cancelled: Node jetson stays cordoned"));
  const std::string text =
      "Normal Cancelled (Cancel) on removal: This NodeRemoval was deleted "
      "after 2 of 24 pods had left. Node jetson ";
  EXPECT_THAT(in_words(events_of(removal, {RemoveFinalizer{}}, node)),
              ElementsAre(text + "stays cordoned"));
  EXPECT_THAT(in_words(events_of(removal, {RemoveFinalizer{}}, make_node())),
              ElementsAre(text + "takes new pods"));
  removal.status.pods.reset();
  EXPECT_THAT(in_words(events_of(removal, {RemoveFinalizer{}}, make_node())),
              ElementsAre("Normal Cancelled (Cancel) on removal: This NodeRemoval was deleted "
                          "before its end. Node jetson takes new pods"));
  removal.status.pods = crd::PodCounts{.total = 24, .evicted = 2};
  auto successor = make_node();
  successor.meta.uid = "node-9";
  for (const auto& gone : {std::optional<crd::Node>{}, std::optional{successor}}) {
    EXPECT_THAT(in_words(events_of(removal, {RemoveFinalizer{}}, gone)),
                ElementsAre(text + "is gone"));
  }
}

TEST(Events, SayThatAFailedRemovalGivesItsNodeBackAndNotThatItIsCancelled) {
  auto node = make_node();
  node.unschedulable = true;
  const auto failed = removal_with(ConditionStatus::False, "DrainTimedOut");
  EXPECT_THAT(in_words(events_of(failed, {release(true), RemoveFinalizer{}}, node)),
              ElementsAre("Normal Released (Uncordon) on node: Ended with DrainTimedOut: Node "
                          "jetson takes new pods"));
}

TEST(Events, AreNotMadeOfOtherActions) {
  EXPECT_THAT(
      in_words(events_of(in_progress(), {AddFinalizer{}, Cordon{}, DeleteNode{}}, make_node())),
      IsEmpty());
}

}  // namespace
}  // namespace reconcilers
