#include <algorithm>
#include <string>
#include <vector>

#include "reconcilers/guards.hpp"
#include "reconcilers/messages.hpp"
#include "reconcilers/migration.hpp"
#include "reconcilers/node_pods.hpp"
#include "reconcilers/steps.hpp"

namespace reconcilers {
namespace {

using crd::ConditionStatus;
namespace condition = crd::condition;
using namespace std::chrono_literals;

/// True when the step is behind us: done, or given up after its time limit.
bool is_settled(Round& round, std::string_view type) {
  const auto* found = round.status().conditions.find(type);
  return found != nullptr && found->status != ConditionStatus::Unknown;
}

/// A bounded wait ran out: either the removal fails, or it goes on and the condition says so.
Step give_up(Round& round, std::string_view type, crd::TimeoutAction action,
             std::string_view reason, const std::string& message) {
  round.set(type, ConditionStatus::False, "TimedOut", message);
  if (action == crd::TimeoutAction::Continue) return Step::Next;
  return round.fail(reason, message);
}

/// Pods that the user does not want drained are not to be lost either.
Step keep_pods_that_are_left_out(Round& round) {
  const auto& pods = *known(round.seen.pods);
  const auto sorted = sort_pods(pods, round.spec().drain, cordoned_at(round.status()));
  if (sorted.left_out.empty()) return Step::Next;
  Blockers blockers;
  for (const auto& entry : sorted.left_out) {
    blockers.add(entry.pod, entry.verdict.reason, entry.verdict.message);
  }
  blockers.write(round);
  return round.wait("PodsLeftOut", count_of(blockers.size(), "pod") +
                                       " would be lost with the Node: " + blockers.summary());
}

std::string describe(const Leftovers& leftovers, const std::string& node) {
  std::vector<std::string> parts;
  if (!leftovers.pods.empty()) {
    parts.push_back(count_of(leftovers.pods.size(), "pod") + " bound to the name (" +
                    name_some(leftovers.pods) + ")");
  }
  if (!leftovers.attachments.empty()) {
    parts.push_back("VolumeAttachment " + name_some(leftovers.attachments));
  }
  if (leftovers.lease) parts.push_back("Lease kube-node-lease/" + node);
  if (leftovers.csi_node) parts.push_back("CSINode " + node);
  return name_some(parts);
}

}  // namespace

Step wait_for_migration(Round& round) {
  const auto& spec = round.spec().migration;
  if (is_settled(round, condition::kPodsMigrated)) return Step::Next;
  if (!spec.wait || round.status().workloads.empty()) {
    round.pass(condition::kPodsMigrated, "NotAwaited",
               spec.wait ? "No drained pod belongs to a controller that starts it elsewhere"
                         : "spec.migration.wait is false");
    return Step::Next;
  }
  const auto* progress = known(round.seen.workloads);
  if (progress == nullptr) return round.need(FactName::Workloads, round.seen.workloads);
  const auto waiting = update_workloads(*progress, false, round.status());
  if (waiting.empty()) {
    round.pass(condition::kPodsMigrated, "Migrated",
               count_of(round.status().workloads.size(), "workload") + " ready on other nodes");
    return Step::Next;
  }
  if (round.timed_out(condition::kPodsMigrated, spec.timeout_seconds)) {
    return give_up(round, condition::kPodsMigrated, spec.on_timeout, "MigrationTimedOut",
                   "Not ready on other nodes after " + std::to_string(spec.timeout_seconds) +
                       " s: " + name_some(waiting));
  }
  round.requeue_after(round.poll_interval(condition::kPodsMigrated));
  return round.wait(condition::kPodsMigrated, "WaitingForMigration",
                    "Waiting until they are ready on other nodes: " + name_some(waiting));
}

Step wait_for_volumes(Round& round) {
  const auto& spec = round.spec().volumes;
  if (is_settled(round, condition::kVolumesDetached)) return Step::Next;
  if (!spec.wait_for_detach) {
    round.pass(condition::kVolumesDetached, "NotAwaited", "spec.volumes.waitForDetach is false");
    return Step::Next;
  }
  const auto* attachments = known(round.seen.attachments);
  if (attachments == nullptr) return round.need(FactName::Attachments, round.seen.attachments);
  if (attachments->empty()) {
    round.pass(condition::kVolumesDetached, "Detached", "No VolumeAttachment of the node is left");
    return Step::Next;
  }
  // Their time begins when they can be detached.
  if (detach_from_dead_node(round) == Step::Wait) return Step::Wait;
  if (round.timed_out(condition::kVolumesDetached, spec.timeout_seconds)) {
    return give_up(round, condition::kVolumesDetached, spec.on_timeout, "VolumesTimedOut",
                   "Still attached after " + std::to_string(spec.timeout_seconds) +
                       " s: " + name_some(*attachments));
  }
  round.requeue_after(round.poll_interval(condition::kVolumesDetached));
  return round.wait(condition::kVolumesDetached, "WaitingForVolumes",
                    "Waiting until they are detached: " + name_some(*attachments));
}

Step may_delete_node(Round& round) {
  const auto& node = round.node();
  if (node.meta.deletion_timestamp) {
    return round.wait(condition::kNodeDeleted, "WaitingForFinalizers",
                      "Node " + node.meta.name +
                          " is being deleted and waits for the controllers of its finalizers: " +
                          name_some(node.meta.finalizers));
  }
  if (keep_pods_that_are_left_out(round) == Step::Wait) return Step::Wait;
  const auto settled = settled_at(*cordoned_at(round.status()), round.policy, round.time);
  if (round.now < settled) {
    round.requeue_at(settled);
    return round.wait("Settling",
                      "Waiting a moment for pods that were bound while the node was cordoned");
  }
  const auto* census = known(round.seen.census);
  if (census == nullptr) return round.need(FactName::Census, round.seen.census);
  if (const auto message = brake(*census, round.policy)) {
    round.requeue_after(5s);
    Blockers{}.write(round);
    return round.wait("TooManyNodesNotReady", *message);
  }
  // The gate asks the same; here it costs nothing while it lasts.
  if (const auto refusal = refuse_last_schedulable(node, *census, round.seen.others)) {
    round.requeue_after(5s);
    Blockers{}.write(round);
    return round.wait(refusal->reason, refusal->message);
  }
  return Step::Next;
}

Step delete_node(Round& round) {
  const auto& node = round.node();
  const auto* removed = known(round.seen.removed_nodes);
  if (removed == nullptr) return round.need(FactName::RemovedNodes, round.seen.removed_nodes);
  const auto record = removed->find(node.meta.name);
  if (record == removed->end() || record->second.uid != node.meta.uid) {
    round.decision.actions.emplace_back(RecordRemoval{node.meta.name, node.meta.uid});
  }
  round.decision.actions.emplace_back(DeleteNode{});
  round.requeue_after(std::max(round.poll_interval(condition::kNodeDeleted), 1000ms));
  if (!round.seen.gate_refusal.empty()) {
    return round.wait(condition::kNodeDeleted, "DeleteRefused",
                      "Node " + node.meta.name + " was not deleted: " + round.seen.gate_refusal);
  }
  return round.wait(condition::kNodeDeleted, "DeletingNode", "Deleting Node " + node.meta.name);
}

/// Nothing on the node is in the way any more, and what was not done is not going to be.
void settle_steps(Round& round) {
  Blockers{}.write(round);
  for (const auto type :
       {condition::kDrained, condition::kPodsMigrated, condition::kVolumesDetached,
        condition::kTerminatingPodsCleared, condition::kHostCleaned}) {
    if (round.began(type)) {
      round.set(type, ConditionStatus::False, "NodeGone",
                "The Node was deleted before this step was done");
    }
  }
}

/// With the node, its pods are gone.
void settle_counts(Round& round) {
  auto& pods = round.status().pods;
  if (!pods) return;
  pods->evicted = pods->total;
  pods->terminating = pods->blocked = pods->remaining = 0;
}

void settle(Round& round) {
  settle_steps(round);
  settle_counts(round);
}

Step check_leftovers(Round& round, bool rejoined) {
  const auto& name = round.spec().node_name;
  settle_steps(round);
  if (!round.status().conditions.is_true(condition::kNodeDeleted)) {
    const bool by_us = round.status().conditions.find(condition::kNodeDeleted) != nullptr;
    round.pass(condition::kNodeDeleted, by_us ? "Deleted" : "GoneAlready",
               by_us ? "Node " + name + " is deleted" : "Somebody else deleted Node " + name);
  }
  if (rejoined) {
    settle_counts(round);
    const std::string message =
        "A Node named " + name +
        " has joined again with another UID; it is left alone, and what its predecessor left "
        "behind can no longer be told from what is its own";
    round.set(condition::kLeftoversGone, ConditionStatus::False, "NodeRejoined", message);
    return round.succeed("NodeRemoved", "The node is removed. " + message + ".");
  }
  const auto* leftovers = known(round.seen.leftovers);
  if (leftovers == nullptr) return round.need(FactName::Leftovers, round.seen.leftovers);
  if (leftovers->pods.empty()) settle_counts(round);
  if (leftovers->empty() && leftovers->lease_of_running_kubelet) {
    const std::string message =
        "The kubelet of the machine still runs and has made Lease kube-node-lease/" + name +
        " anew; stop it there (systemctl disable --now kubelet), or the machine may join again";
    round.set(condition::kLeftoversGone, ConditionStatus::False, "KubeletRunning", message);
    return round.succeed("NodeRemoved", "Node " + name + " is removed. " + message + ".");
  }
  if (leftovers->empty()) {
    round.pass(condition::kLeftoversGone, "Gone", "Nothing of Node " + name + " is left");
    return round.succeed("NodeRemoved",
                         "Node " + name + " is removed and nothing of it is left in the cluster.");
  }
  const auto what = describe(*leftovers, name);
  if (round.timed_out(condition::kLeftoversGone, round.policy.leftovers_timeout.count())) {
    round.set(condition::kLeftoversGone, ConditionStatus::False, "Remaining",
              "Still there: " + what);
    return round.succeed("NodeRemoved",
                         "Node " + name + " is removed, but this is still there: " + what + ".");
  }
  round.requeue_after(round.poll_interval(condition::kLeftoversGone));
  return round.wait(condition::kLeftoversGone, "CheckingLeftovers",
                    "Node " + name + " is deleted; waiting for " + what);
}

}  // namespace reconcilers
