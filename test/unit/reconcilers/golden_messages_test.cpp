#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/reconcilers/builders.hpp"

/// The sentences that people on call read, word for word. Whoever changes one reads it here as they
/// will.
namespace reconcilers {
namespace {

struct Golden {
  std::string name;
  Observation seen;
  std::string reason;
  std::string message;
};

Observation changed(Observation seen, const std::function<void(Observation&)>& change) {
  change(seen);
  return seen;
}

crd::Pod with_empty_dir(crd::Pod pod) {
  pod.empty_dir = true;
  return pod;
}

crd::Pod with_finalizer(crd::Pod pod) {
  pod.meta.finalizers = {"example.com/hold"};
  return pod;
}

void expect_golden(const std::vector<Golden>& all) {
  for (const auto& [name, seen, reason, message] : all) {
    const auto decision = decide_at(seen);
    EXPECT_EQ(summary(decision), reason) << name;
    EXPECT_EQ(message_of(decision), message) << name;
  }
}

TEST(GoldenMessages, OfTheBeginning) {
  expect_golden({
      {"first look", first_sight(), "Unknown/Accepted", "About to cordon Node jetson"},
      {"no such node",
       changed(first_sight(), [](auto& seen) { seen.node = std::optional<crd::Node>{}; }),
       "True/NodeAbsent",
       "There was no Node jetson when this NodeRemoval was first seen, so there was nothing to do. "
       "If the name is a "
       "typing error, create a NodeRemoval with the right one."},
      {"another node of that name",
       changed(first_sight(), [](auto& seen) { seen.removal.spec.node_uid = "node-0"; }),
       "True/AlreadyReplaced",
       "Node jetson now has UID node-1 instead of node-0: the node this NodeRemoval meant is gone "
       "and its successor is "
       "left alone. To remove that one, create a new NodeRemoval."},
      {"control plane",
       changed(first_sight(),
               [](auto& seen) {
                 node_of(seen).meta.labels["node-role.kubernetes.io/control-plane"] = "";
               }),
       "False/Refused",
       "Node jetson is a control-plane node. If it really must go, create the NodeRemoval again "
       "with "
       "spec.allowControlPlane: true (and remove its etcd member yourself)."},
      {"protected",
       changed(first_sight(),
               [](auto& seen) {
                 node_of(seen).meta.annotations[std::string{crd::kProtectAnnotation}] = "";
               }),
       "Unknown/NodeProtected",
       "Node jetson is protected by the annotation noderemoval.dev/protect. Remove it to go on: "
       "kubectl annotate node "
       "jetson noderemoval.dev/protect-"},
      {"last node", changed(first_sight(), [](auto& seen) { seen.census->value().resize(1); }),
       "Unknown/LastSchedulableNode",
       "Node jetson is the last one that is Ready and schedulable, so its pods could run nowhere. "
       "Add or uncordon "
       "another node; the removal then goes on by itself."},
      {"last node, because others are leaving",
       changed(cordoned_with({}),
               [](auto& seen) {
                 for (auto& node : seen.census->value()) node.unschedulable = true;
                 seen.others = {{.name = "b", .uid = "r-2", .node_name = "nano", .accepted = true}};
               }),
       "Unknown/LastSchedulableNode",
       "Node jetson is the last one that is Ready and schedulable (being removed as well: nano by "
       "b), so its pods could run nowhere. Add or uncordon another node, or cancel another "
       "removal; the removal then goes on by itself."},
      {"spec changed",
       changed(cordoned_with({}), [](auto& seen) { seen.removal.spec_changed = true; }),
       "Unknown/SpecChanged",
       "The spec was changed after this NodeRemoval was created, and nothing more is done. Only "
       "suspend, unreachable.fenced and ttlSecondsAfterFinished may be changed: put the rest back "
       "as it was to go on, or delete this NodeRemoval to cancel, and create another."},
      {"held by another removal",
       changed(first_sight(),
               [](auto& seen) {
                 claim(node_of(seen), "removal-2");
                 seen.others = {{.name = "first", .uid = "removal-2", .node_name = "jetson"}};
               }),
       "Unknown/ClaimedByOther",
       "Node jetson is being removed by NodeRemoval first. This one goes on when that one is "
       "finished or deleted."},
      {"uncordoned by somebody",
       changed(cordoned_with({}), [](auto& seen) { node_of(seen).unschedulable = false; }),
       "Unknown/Uncordoned",
       "Somebody uncordoned Node jetson while it is being removed, so nothing more is done. To go "
       "on: kubectl cordon "
       "jetson. To cancel: kubectl delete noderemoval gone"},
      {"suspended",
       changed(cordoned_with({}), [](auto& seen) { seen.removal.spec.suspend = true; }),
       "Unknown/Suspended",
       "spec.suspend is true: nothing new is started, and what was done stays done. Set it to "
       "false to go on, or delete "
       "this NodeRemoval to cancel."},
      {"API server away",
       changed(cordoned_with({}),
               [](auto& seen) { seen.pods = std::unexpected("GET https://h/api: no answer"); }),
       "Unknown/ApiUnavailable", "Waiting for the API server: GET https://h/api: no answer"},
  });
}

TEST(GoldenMessages, OfTheDrain) {
  expect_golden({
      {"draining", cordoned_with({make_pod("web-1"), make_pod("web-2")}), "Unknown/Draining",
       "Waiting for 2 pods to leave: shop/web-1, shop/web-2"},
      {"draining many",
       cordoned_with({make_pod("a"), make_pod("b"), make_pod("c"), make_pod("d"), make_pod("e")}),
       "Unknown/Draining", "Waiting for 5 pods to leave: shop/a, shop/b, shop/c and 2 more"},
      {"naked pod", cordoned_with({make_naked_pod("debug")}), "Unknown/DrainBlocked",
       "1 pod cannot leave: shop/debug (UnmanagedPod: no controller owns this pod, so nothing "
       "would start it again; "
       "delete it yourself, or create the NodeRemoval again with spec.drain.force: true)"},
      {"emptyDir", cordoned_with({with_empty_dir(make_pod("cache-1"))}), "Unknown/DrainBlocked",
       "1 pod cannot leave: shop/cache-1 (EmptyDirData: this pod has an emptyDir volume whose data "
       "would be lost; "
       "delete it yourself, or create the NodeRemoval again with spec.drain.deleteEmptyDirData: "
       "true)"},
      {"DaemonSet pod",
       changed(cordoned_with({make_pod("proxy-1", "DaemonSet", "proxy")}),
               [](auto& seen) { seen.removal.spec.drain.ignore_daemon_sets = false; }),
       "Unknown/DrainBlocked",
       "1 pod cannot leave: shop/proxy-1 (DaemonSetPod: pod of DaemonSet proxy, "
       "which belongs to the node; create the NodeRemoval again with "
       "spec.drain.ignoreDaemonSets: true)"},
      {"budget",
       changed(cordoned_with({make_pod("web-1")}),
               [](auto& seen) {
                 seen.refusals["pod-web-1"] = {
                     .reason = "PodDisruptionBudget",
                     .message =
                         "The disruption budget web needs 3 healthy pods and has 3 currently",
                     .pdb = "web",
                     .retry_at = kNow + 1s};
               }),
       "Unknown/DrainBlocked",
       "1 pod cannot leave: shop/web-1 (PodDisruptionBudget: The disruption budget web needs 3 "
       "healthy pods and has 3 "
       "currently)"},
      {"terminating too long", cordoned_with({terminating(make_pod("web-1"), kNow - 31s)}),
       "Unknown/DrainBlocked",
       "1 pod cannot leave: shop/web-1 (TerminatingTooLong: its grace period is over and the "
       "kubelet has not confirmed "
       "that it stopped; look at the kubelet and the container runtime of the node)"},
      {"finalizer", cordoned_with({with_finalizer(terminating(make_pod("web-1"), kNow - 31s))}),
       "Unknown/DrainBlocked",
       "1 pod cannot leave: shop/web-1 (Finalizer: it is terminating and waits for the controller "
       "of its finalizer "
       "example.com/hold; see whether that controller runs)"},
      {"time-out",
       changed(cordoned_with({make_pod("web-1")}),
               [](auto& seen) {
                 set_condition(seen.removal, condition::kDrained, crd::ConditionStatus::Unknown,
                               "Draining", kNow - 3600s);
               }),
       "False/DrainTimedOut",
       "After 3600 s 1 pod had not left the node: shop/web-1. The node is given back. See "
       "status.blockers for what was "
       "in the way."},
  });
}

TEST(GoldenMessages, OfADeadNode) {
  expect_golden({
      {"not dead yet", dead_with({make_pod("web-1")}, 100s), "Unknown/NodeNotReady",
       "Node jetson is NotReady since 2023-11-14T22:11:40Z (NodeStatusUnknown). No eviction is "
       "sent, because no kubelet "
       "would carry it out. If it stays NotReady until 2023-11-14T22:16:40Z its pods are deleted "
       "so that they start "
       "elsewhere; if it comes back, it is drained."},
      {"clearing", dead_with({terminating(make_pod("web-1"))}), "Unknown/ClearingTerminatingPods",
       "Waiting for 1 pod of the dead node to be gone"},
      {"fencing", dead_with({make_pod("db-0", "StatefulSet", "db")}), "Unknown/NeedsFencing",
       "1 pod cannot be cleared: shop/db-0 (NeedsFencing: it must not run twice, and nobody has "
       "said that the machine "
       "is off. Make sure that it is off or cut off from network and storage, then: kubectl patch "
       "noderemoval gone "
       "--type=merge -p '{\"spec\":{\"unreachable\":{\"fenced\":true}}}')"},
      {"replacements",
       changed(dead_with({terminating(make_pod("web-1"), kNow - 31s)}),
               [](auto& seen) {
                 seen.removal.status.workloads = {{"ReplicaSet", "shop", "web", "owner-web", 0, 0}};
                 seen.workloads->value()["owner-web"] = {.exists = true, .desired = 3, .ready = 2};
               }),
       "Unknown/WaitingForMigration", "Waiting until they run elsewhere: ReplicaSet shop/web 2/3"},
      {"brake",
       changed(dead_with({make_pod("web-1")}),
               [](auto& seen) {
                 for (auto& node : seen.census->value()) node.ready = false;
               }),
       "Unknown/TooManyNodesNotReady",
       "3 of 3 nodes are NotReady, which looks like a network or control-plane fault. Nothing is "
       "forced and no Node is "
       "deleted until more than 45 % of the nodes are Ready again."},
  });
}

TEST(GoldenMessages, OfTheEnd) {
  const auto gone = [](auto& seen) { seen.node = std::optional<crd::Node>{}; };
  expect_golden({
      {"deleting", cordoned_with({}), "Unknown/DeletingNode", "Deleting Node jetson"},
      {"kept",
       changed(cordoned_with({}), [](auto& seen) { seen.removal.spec.delete_node = false; }),
       "True/Drained",
       "Node jetson is drained and stays cordoned; spec.deleteNode is false. To use it again: "
       "kubectl uncordon jetson"},
      {"removed", changed(cordoned_with({}), gone), "True/NodeRemoved",
       "Node jetson is removed and nothing of it is left in the cluster."},
      {"waiting for leftovers",
       changed(cordoned_with({}),
               [](auto& seen) {
                 seen.node = std::optional<crd::Node>{};
                 seen.leftovers->value().pods = {"shop/a"};
                 seen.leftovers->value().lease = true;
               }),
       "Unknown/CheckingLeftovers",
       "Node jetson is deleted; waiting for 1 pod bound to the name (shop/a), Lease "
       "kube-node-lease/jetson"},
      {"joined again",
       changed(cordoned_with({}),
               [](auto& seen) {
                 set_condition(seen.removal, condition::kNodeDeleted, crd::ConditionStatus::Unknown,
                               "DeletingNode", kNow - 1s);
                 node_of(seen).meta.uid = "node-9";
               }),
       "True/NodeRemoved",
       "The node is removed. A Node named jetson has joined again with another UID; it is left "
       "alone, and what its "
       "predecessor left behind can no longer be told from what is its own."},
      {"finalizers of the node",
       changed(cordoned_with({}),
               [](auto& seen) {
                 node_of(seen).meta.deletion_timestamp = kNow;
                 node_of(seen).meta.finalizers = {"example.com/hold"};
               }),
       "Unknown/WaitingForFinalizers",
       "Node jetson is being deleted and waits for the controllers of its finalizers: "
       "example.com/hold"},
  });
}

}  // namespace
}  // namespace reconcilers
