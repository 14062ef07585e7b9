#include "reconcilers/gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <type_traits>

#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

/// Everything the gate looks at, in the one state in which a Node may be deleted.
struct Fresh {
  std::string removal_uid{kRemovalUid};
  FreshView view{.removal = make_active_removal(), .node = make_node()};
  std::vector<crd::Pod> pods{make_pod("proxy-1", "DaemonSet", "proxy"), make_mirror_pod("static")};
  std::vector<NodeSummary> census = make_census();
  std::vector<OtherRemoval> others;
  Policy policy;
  crd::WallTime now = kNow;

  Fresh() { cordon(view.node); }

  auto permit() const {
    return DeleteGate::permit(removal_uid, view, pods, census, others, policy, now);
  }
};

using Change = std::function<void(Fresh&)>;

struct Violation {
  Change change;
  std::string sentence;
};

void make_control_plane(Fresh& fresh) {
  fresh.view.node.meta.labels["node-role.kubernetes.io/control-plane"] = "";
}

void finish(Fresh& fresh) {
  set_condition(fresh.view.removal, condition::kSucceeded, crd::ConditionStatus::False,
                "DrainTimedOut", kNow);
}

void cordoned_at(Fresh& fresh, crd::TimePoint time) {
  fresh.view.removal.status.conditions.remove(condition::kCordoned);
  set_condition(fresh.view.removal, condition::kCordoned, crd::ConditionStatus::True, "Cordoned",
                time);
}

/// Preconditions of every destructive step.
std::vector<Violation> identity_violations() {
  return {
      {[](auto& f) { f.view.removal.meta.uid = "removal-2"; },
       "the NodeRemoval was replaced by another of the same name"},
      {[](auto& f) { f.view.removal.meta.deletion_timestamp = kNow; },
       "the NodeRemoval is being deleted (cancelled)"},
      {finish, "the NodeRemoval is finished already"},
      {[](auto& f) { f.view.removal.spec.suspend = true; }, "the NodeRemoval is suspended"},
      {[](auto& f) { f.view.removal.spec_changed = true; },
       "the spec of the NodeRemoval was changed"},
      {[](auto& f) { f.view.node.meta.name = "nano"; },
       "the node read is not the one in spec.nodeName"},
      {[](auto& f) {
         f.view.node.meta.name.clear();
         f.view.removal.spec.node_name.clear();
       },
       "the node read is not the one in spec.nodeName"},
      {[](auto& f) { f.view.node.meta.uid = "node-9"; },
       "the node has another UID than the one this removal is bound to"},
      {[](auto& f) {
         f.view.removal.status.node_uid.clear();
         f.view.node.meta.uid.clear();
       },
       "the node has another UID than the one this removal is bound to"},
      {[](auto& f) { f.view.node.meta.annotations.clear(); },
       "the node is not claimed by this NodeRemoval"},
      {[](auto& f) { claim(f.view.node, "removal-2"); },
       "the node is not claimed by this NodeRemoval"},
      {[](auto& f) {
         f.view.node.meta.annotations[std::string{crd::kClaimAnnotation}] = "gibberish";
       },
       "the node is not claimed by this NodeRemoval"},
      {[](auto& f) { f.view.node.unschedulable = false; }, "the node is schedulable again"},
  };
}

std::vector<Violation> violations() {
  auto all = identity_violations();
  const std::vector<Violation> more{
      {[](auto& f) { f.view.removal.spec.delete_node = false; }, "spec.deleteNode is false"},
      {[](auto& f) { f.view.removal.status.conditions.remove(condition::kCordoned); },
       "the cordon is not recorded in status yet"},
      {[](auto& f) {
         set_condition(f.view.removal, condition::kCordoned, crd::ConditionStatus::Unknown,
                       "Cordoning", kNow);
       },
       "the cordon is not recorded in status yet"},
      {[](auto& f) { cordoned_at(f, kNow - 3s + 1ms); },
       "the cordon is too fresh: a pod may still be bound to the node"},
      {[](auto& f) { cordoned_at(f, kNow + 1h); },
       "the cordon is too fresh: a pod may still be bound to the node"},
      {make_control_plane,
       "Node jetson is a control-plane node. If it really must go, create the NodeRemoval again "
       "with "
       "spec.allowControlPlane: true (and remove its etcd member yourself)."},
      {[](auto& f) {
         make_control_plane(f);
         f.view.removal.spec.allow_control_plane = true;
       },
       "Node jetson is the last control-plane node that is Ready. It is never removed: without it "
       "there is no cluster."},
      {[](auto& f) { f.view.node.meta.annotations[std::string{crd::kProtectAnnotation}] = ""; },
       "the node carries the annotation noderemoval.dev/protect"},
      {[](auto& f) { f.census[1].unschedulable = f.census[2].unschedulable = true; },
       "Node jetson is the last one that is Ready and schedulable, so its pods could run nowhere. "
       "Add or uncordon "
       "another node; the removal then goes on by itself."},
      {[](auto& f) {
         for (const auto name : {"a", "b", "c"}) {
           f.census.push_back(make_summary(name, name));
           f.census.back().ready = false;
         }
         f.census[2].ready = false;
       },
       "4 of 6 nodes are NotReady, which looks like a network or control-plane fault. Nothing is "
       "forced and no Node is "
       "deleted until more than 45 % of the nodes are Ready again."},
      {[](auto& f) { f.pods.push_back(make_pod("web-1")); },
       "1 pod would be lost with the node: shop/web-1"},
      {[](auto& f) { f.pods.push_back(make_naked_pod("debug")); },
       "1 pod would be lost with the node: shop/debug"},
      {[](auto& f) { f.pods.push_back(terminating(make_pod("web-1"))); },
       "1 pod would be lost with the node: shop/web-1"},
      {[](auto& f) { f.view.removal.spec.drain.ignore_daemon_sets = false; },
       "1 pod would be lost with the node: shop/proxy-1"},
      {[](auto& f) { f.view.node.meta.resource_version.clear(); },
       "the node was read without UID or resourceVersion"},
  };
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

TEST(DeleteGate, PermitsTheOneNodeInTheOneVersionThatWasRead) {
  const auto permit = Fresh{}.permit();
  ASSERT_TRUE(permit) << permit.error();
  EXPECT_EQ(permit->name(), "jetson");
  EXPECT_EQ(permit->uid(), "node-1");
  EXPECT_EQ(permit->resource_version(), "100");
}

TEST(DeleteGate, RefusesWhenAnyOnePreconditionIsViolated) {
  for (const auto& [change, sentence] : violations()) {
    Fresh fresh;
    change(fresh);
    const auto permit = fresh.permit();
    ASSERT_FALSE(permit) << "permits although " << sentence;
    EXPECT_EQ(permit.error(), sentence);
  }
}

TEST(DeleteGate, RefusesWhenAnyTwoPreconditionsAreViolated) {
  const auto all = violations();
  for (const auto& one : all) {
    for (const auto& other : all) {
      Fresh fresh;
      one.change(fresh);
      other.change(fresh);
      EXPECT_FALSE(fresh.permit()) << one.sentence << " and " << other.sentence;
    }
  }
}

TEST(DeleteGate, PermitsFromTheEndOfTheSettleTimeOn) {
  Fresh fresh;
  cordoned_at(fresh, kNow - 3s);  // two to settle, one because times in status are cut
  EXPECT_TRUE(fresh.permit());
  fresh.policy.settle = 3s;
  EXPECT_FALSE(fresh.permit());
}

TEST(DeleteGate, PermitsAControlPlaneNodeThatIsAllowedAndNotTheLast) {
  Fresh fresh;
  make_control_plane(fresh);
  fresh.view.removal.spec.allow_control_plane = true;
  fresh.census[0].control_plane = fresh.census[1].control_plane = true;
  EXPECT_TRUE(fresh.permit());
  fresh.others = {{.name = "b", .uid = "removal-2", .node_name = "nano", .accepted = true}};
  EXPECT_FALSE(fresh.permit()) << "another removal takes the other one away";
}

TEST(DeleteGate, DoesNotWaitForAnOlderRemovalThatWaitsForThisOne) {
  Fresh fresh;
  std::erase_if(fresh.census, [](const NodeSummary& node) { return node.name == "xavier"; });
  fresh.others = {{.name = "b", .uid = "removal-2", .node_name = "nano", .older = true}};
  EXPECT_TRUE(fresh.permit()) << "the other one has not begun, so its node stays";
  fresh.others.front().accepted = true;
  EXPECT_FALSE(fresh.permit());
}

TEST(DeleteGate, PermitsANodeThatIsNotReady) {
  Fresh fresh;
  stop_kubelet(fresh.view.node, kNow - 1h);
  fresh.census[0].ready = false;
  EXPECT_TRUE(fresh.permit());
}

/// The same, and the machine is about to be told to clean itself.
struct FreshMachine : Fresh {
  FreshMachine() {
    view.removal.spec.host_cleanup.enabled = true;
    set_cleaned(crd::ConditionStatus::Unknown, "HandedOver");
  }
  void set_cleaned(crd::ConditionStatus status, std::string_view reason) {
    set_condition(view.removal, condition::kHostCleaned, status, reason, kNow - 60s);
  }
  auto may_clean() const {
    return may_clean_host(removal_uid, view, pods, census, others, policy, now);
  }
};

TEST(DeleteGate, RefusesUntilItIsKnownWhatBecameOfTheMachine) {
  constexpr auto kSentence = "status does not say yet what became of the cleaning of the machine";
  FreshMachine fresh;
  ASSERT_FALSE(fresh.permit());
  EXPECT_EQ(fresh.permit().error(), kSentence);
  fresh.view.removal.status.conditions.remove(condition::kHostCleaned);
  ASSERT_FALSE(fresh.permit());
  EXPECT_EQ(fresh.permit().error(), kSentence);
  fresh.set_cleaned(crd::ConditionStatus::False, "NoReport");
  EXPECT_TRUE(fresh.permit());
}

TEST(MayCleanHost, AgreesWhenTheNodeMayGoAndIsReady) { EXPECT_TRUE(FreshMachine{}.may_clean()); }

TEST(MayCleanHost, RefusesWhatTheDeletionOfTheNodeIsRefusedFor) {
  for (const auto& [change, sentence] : violations()) {
    if (sentence == "the node was read without UID or resourceVersion") continue;
    FreshMachine fresh;
    change(fresh);
    const auto allowed = fresh.may_clean();
    ASSERT_FALSE(allowed) << "agrees although " << sentence;
    EXPECT_EQ(allowed.error(), sentence);
  }
}

TEST(MayCleanHost, RefusesWhenTheNodeIsNotReadyAnyMore) {
  FreshMachine fresh;
  stop_kubelet(fresh.view.node, kNow);
  ASSERT_FALSE(fresh.may_clean());
  EXPECT_EQ(fresh.may_clean().error(), "the node is not Ready any more");
}

TEST(MayCleanHost, RefusesWhenStatusDoesNotWaitForIt) {
  constexpr auto kSentence = "status does not say that the cleaning of the machine is under way";
  FreshMachine fresh;
  fresh.set_cleaned(crd::ConditionStatus::False, "TimedOut");
  ASSERT_FALSE(fresh.may_clean());
  EXPECT_EQ(fresh.may_clean().error(), kSentence);
  fresh.view.removal.status.conditions.remove(condition::kHostCleaned);
  ASSERT_FALSE(fresh.may_clean());
  EXPECT_EQ(fresh.may_clean().error(), kSentence);
}

TEST(MayCleanHost, RefusesWhenItsTimeIsOver) {
  FreshMachine fresh;
  fresh.view.removal.spec.host_cleanup.timeout_seconds = 60;
  ASSERT_FALSE(fresh.may_clean());
  EXPECT_EQ(fresh.may_clean().error(), "the time of the cleaning is over");
  fresh.view.removal.spec.host_cleanup.timeout_seconds = 61;
  EXPECT_TRUE(fresh.may_clean());
}

TEST(NodeDeletePermit, IsUsedAtMostOnceAndMadeByNobodyElse) {
  static_assert(!std::is_copy_constructible_v<crd::NodeDeletePermit>);
  static_assert(!std::is_default_constructible_v<crd::NodeDeletePermit>);
  static_assert(
      !std::is_constructible_v<crd::NodeDeletePermit, std::string, std::string, std::string>);
}

// --- pods of a Ready node

TEST(MayEvict, AgreesWhenTheNodeIsStillReady) {
  EXPECT_TRUE(may_evict(std::string{kRemovalUid}, Fresh{}.view));
}

TEST(MayEvict, RefusesWhenTheRemovalOrTheNodeIsAnother) {
  for (const auto& [change, sentence] : identity_violations()) {
    Fresh fresh;
    change(fresh);
    const auto allowed = may_evict(fresh.removal_uid, fresh.view);
    ASSERT_FALSE(allowed) << "agrees although " << sentence;
    EXPECT_EQ(allowed.error(), sentence);
  }
}

TEST(MayEvict, RefusesWhenTheNodeIsNotReadyAnyMore) {
  for (const auto ready : {crd::ConditionStatus::False, crd::ConditionStatus::Unknown}) {
    Fresh fresh;
    fresh.view.node.ready = ready;
    EXPECT_EQ(may_evict(fresh.removal_uid, fresh.view).error(), "the node is not Ready any more");
  }
}

// --- pods of a dead node

struct DeadNode : Fresh {
  DeadNode() {
    stop_kubelet(view.node, kNow - 1h);
    census[0].ready = false;
    view.removal.status.evidence.emplace().observed_since = kNow - 1h;
  }
  auto may_act(bool needs_fencing = false) const {
    return may_act_on_dead_node(removal_uid, view, census, needs_fencing, policy, now);
  }
};

TEST(MayActOnDeadNode, AgreesWhenTheNodeIsStillNotReady) { EXPECT_TRUE(DeadNode{}.may_act()); }

TEST(MayActOnDeadNode, RefusesWhenTheRemovalOrTheNodeIsAnother) {
  for (const auto& [change, sentence] : identity_violations()) {
    DeadNode dead;
    change(dead);
    const auto may_act = dead.may_act();
    ASSERT_FALSE(may_act) << "agrees although " << sentence;
    EXPECT_EQ(may_act.error(), sentence);
  }
}

TEST(MayActOnDeadNode, RefusesWhenTheNodeIsReadyAgain) {
  DeadNode dead;
  dead.view.node.ready = crd::ConditionStatus::True;
  EXPECT_EQ(dead.may_act().error(), "the node is Ready again");
}

TEST(MayActOnDeadNode, RefusesBeforeTheEvidenceIsWritten) {
  DeadNode dead;
  dead.view.removal.status.evidence.reset();
  EXPECT_EQ(dead.may_act().error(),
            "the evidence that the node is dead is not recorded in status yet");
}

TEST(MayActOnDeadNode, RefusesWhenTheNodeWasReadyInBetween) {
  DeadNode dead;
  const auto tolerance = std::chrono::seconds{dead.view.removal.spec.unreachable.tolerance_seconds};
  dead.view.node.ready_transition_time = kNow - tolerance + 1s;
  EXPECT_EQ(dead.may_act().error(), "the node is not NotReady for long enough");
  dead.view.node.ready_transition_time = kNow - tolerance;
  EXPECT_TRUE(dead.may_act());
  dead.view.removal.status.evidence->observed_since = kNow - tolerance + 1s;
  EXPECT_EQ(dead.may_act().error(), "the node is not NotReady for long enough");
}

TEST(MayActOnDeadNode, RefusesWhenTheClockWasSetForward) {
  DeadNode dead;
  const auto tolerance = std::chrono::seconds{dead.view.removal.spec.unreachable.tolerance_seconds};
  dead.now = {kNow, kNow - tolerance + 1s};
  EXPECT_EQ(dead.may_act().error(), "the node is not NotReady for long enough");
  dead.now = {kNow, kNow - tolerance};
  EXPECT_TRUE(dead.may_act());
}

TEST(DeleteGate, RefusesUntilTheCordonHasSettledByAClockThatRanEvenly) {
  Fresh fresh;
  fresh.now = {kNow, kNow - 2s};
  EXPECT_EQ(fresh.permit().error(),
            "the cordon is too fresh: a pod may still be bound to the node");
  fresh.now = {kNow, kNow - 3s};
  EXPECT_TRUE(fresh.permit());
}

TEST(MayActOnDeadNode, RefusesPodsThatMustNotRunTwiceWhenNobodyAssertsThatTheMachineIsOff) {
  DeadNode dead;
  EXPECT_EQ(dead.may_act(true).error(), "nobody asserts any more that the machine is off");
  dead.view.removal.spec.unreachable.fenced = true;
  EXPECT_TRUE(dead.may_act(true));
  dead.view.removal.spec.unreachable.fenced = false;
  dead.view.node.taints.push_back(
      {.key = std::string{crd::kOutOfServiceTaint}, .value = "off", .effect = "NoExecute"});
  EXPECT_TRUE(dead.may_act(true));
}

TEST(MayActOnDeadNode, RefusesWhenTheBrakeHolds) {
  DeadNode dead;
  for (auto& node : dead.census) node.ready = false;
  EXPECT_THAT(dead.may_act().error(), testing::StartsWith("3 of 3 nodes are NotReady"));
}

}  // namespace
}  // namespace reconcilers
