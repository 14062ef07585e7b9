#include <algorithm>
#include <optional>
#include <string>

#include "reconcilers/guards.hpp"
#include "reconcilers/messages.hpp"
#include "reconcilers/migration.hpp"
#include "reconcilers/node_pods.hpp"
#include "reconcilers/plan.hpp"
#include "reconcilers/steps.hpp"
#include "reconcilers/taints.hpp"

namespace reconcilers {
namespace {

using crd::ConditionStatus;
namespace condition = crd::condition;
using namespace std::chrono_literals;

Step wait_for_tolerance(Round& round, const NodePods& pods, crd::TimePoint dead_time) {
  Blockers{}.write(round);
  write_counts(round, pods, 0);
  round.requeue_at(dead_time);
  const auto& evidence = *round.status().evidence;
  const std::string message =
      "Node " + round.node().meta.name + " is NotReady since " +
      crd::to_rfc3339(evidence.not_ready_since) + " (" + evidence.reason +
      "). No eviction is sent, because no kubelet would carry it out. If it stays NotReady until " +
      crd::to_rfc3339(dead_time) +
      " its pods are deleted so that they start elsewhere; if it comes back, it is "
      "drained.";
  round.set(condition::kDrained, ConditionStatus::False, "NodeNotReady", message);
  return round.wait("NodeNotReady", message);
}

struct DeadNodeWork {
  std::vector<DeletePod> to_delete;
  std::vector<ClearPod> to_clear;
  Blockers blockers;
};

void sort_dead_pod(Round& round, const PodToRemove& entry, bool fenced, DeadNodeWork& work) {
  const auto& pod = entry.pod;
  const bool at_most_once = must_run_at_most_once(pod, known(round.seen.claims));
  const auto pod_class = entry.verdict.pod_class;
  if (pod_class == PodClass::NeedsWord || pod_class == PodClass::ComesBack) {
    work.blockers.add(pod, entry.verdict.reason, entry.verdict.message);
  } else if (at_most_once && !fenced) {
    work.blockers.add(pod, "NeedsFencing", needs_fencing_message(round.removal().meta.name));
  } else if (!pod.is_terminating()) {
    if (!is_pausing(round, pod, round.seen.accepted, work.blockers)) {
      work.to_delete.push_back({pod.ref(), at_most_once});
    }
  } else if (pod.meta.deletion_grace_period_seconds == 0 && !pod.meta.finalizers.empty()) {
    work.blockers.add(pod, "Finalizer", overdue_message(pod));
  } else if (round.now >= overdue_at(pod, round)) {
    if (!is_pausing(round, pod, round.seen.cleared, work.blockers)) {
      work.to_clear.push_back({pod.ref(), at_most_once});
    }
  } else {
    round.requeue_at(overdue_at(pod, round));
  }
}

/// Pods that start elsewhere without us clearing anything come first; StatefulSet pods cannot start
/// before their predecessor is cleared.
Step wait_for_replacements(Round& round) {
  const auto& spec = round.spec().migration;
  if (!spec.wait || round.status().workloads.empty()) return Step::Next;
  const auto* progress = known(round.seen.workloads);
  if (progress == nullptr) return round.need(FactName::Workloads, round.seen.workloads);
  const auto asked_for = [&](const crd::WorkloadStatus& workload) {
    return progress->contains(workload.uid);
  };
  if (!std::ranges::all_of(round.status().workloads, asked_for)) {  // recorded in this very round
    round.requeue_after(0ms);
    return Step::Wait;
  }
  const auto waiting = update_workloads(*progress, true, round.status());
  if (waiting.empty()) {
    // The time of those that could not start before their predecessor is cleared begins anew.
    round.status().conditions.remove(condition::kPodsMigrated);
    return Step::Next;
  }
  if (round.timed_out(condition::kPodsMigrated, spec.timeout_seconds)) {
    if (spec.on_timeout == crd::TimeoutAction::Continue) return Step::Next;
    const std::string message = "Not running elsewhere after " +
                                std::to_string(spec.timeout_seconds) + " s: " + name_some(waiting);
    round.set(condition::kPodsMigrated, ConditionStatus::False, "TimedOut", message);
    return round.fail("MigrationTimedOut", message);
  }
  round.requeue_after(round.poll_interval(condition::kPodsMigrated));
  const std::string message = "Waiting until they run elsewhere: " + name_some(waiting);
  round.set(condition::kPodsMigrated, ConditionStatus::Unknown, "WaitingForMigration", message);
  return round.wait("WaitingForMigration", message);
}

Step brake_applies(Round& round) {
  const auto* census = known(round.seen.census);
  if (census == nullptr) return round.need(FactName::Census, round.seen.census);
  const auto message = brake(*census, round.policy);
  if (!message) return Step::Next;
  round.requeue_after(5s);
  Blockers{}.write(round);
  return round.wait(condition::kTerminatingPodsCleared, "TooManyNodesNotReady", *message);
}

/// On a machine that is asserted to be off, Kubernetes itself detaches volumes once the node has
/// the out-of-service taint. Servers before 1.26 do not know it; there it goes without, only
/// slower. nullopt: the version of the server has to be asked for first.
std::optional<bool> is_to_be_marked(Round& round) {
  constexpr int kFirstMinor = 26;
  const auto& node = round.node();
  const auto& evidence = round.status().evidence;
  const bool marked =
      taints::has_our_out_of_service(node) || taints::has_foreign_out_of_service(node);
  if (!evidence || !evidence->fenced || marked) return false;
  if (!round.seen.server_minor) {
    round.need(FactName::ServerMinor, round.seen.server_minor);
    return std::nullopt;
  }
  const auto* minor = known(round.seen.server_minor);
  return minor != nullptr && *minor >= kFirstMinor;
}

Step mark_out_of_service(Round& round, std::string_view type, std::string_view reason) {
  const auto& node = round.node();
  round.decision.actions.emplace_back(set_taints(node, taints::with_out_of_service(node)));
  return round.wait(type, reason,
                    "The machine is asserted to be off: setting the taint " +
                        std::string{crd::kOutOfServiceTaint} + " on the node");
}

void wait_for_pods(Round& round, const NodePods& pods, const DeadNodeWork& work) {
  if (work.blockers.empty()) {
    round.wait(
        condition::kTerminatingPodsCleared, "ClearingTerminatingPods",
        "Waiting for " + count_of(pods.leaving.size(), "pod") + " of the dead node to be gone");
    return;
  }
  round.wait(
      condition::kTerminatingPodsCleared,
      work.blockers.has("NeedsFencing") ? "NeedsFencing" : "Blocked",
      count_of(work.blockers.size(), "pod") + " cannot be cleared: " + work.blockers.summary());
}

}  // namespace

std::string needs_fencing_message(const std::string& removal) {
  return "it must not run twice, and nobody has said that the machine is off. Make sure that it is "
         "off or cut off from network and storage, then: kubectl patch noderemoval " +
         removal + " --type=merge -p '{\"spec\":{\"unreachable\":{\"fenced\":true}}}'";
}

Step ask_for_claims(Round& round, const std::vector<crd::Pod>& pods) {
  const auto matters = [](const crd::Pod& pod) {
    return !pod.claims.empty() && !pod.is_finished();
  };
  const bool fenced = !fenced_by(round.spec(), round.node()).empty();
  if (fenced || known(round.seen.claims) != nullptr || std::ranges::none_of(pods, matters)) {
    return Step::Next;
  }
  return round.need(FactName::Claims, round.seen.claims);
}

Step take_back_out_of_service(Round& round) {
  const auto& node = round.node();
  const auto claim = read_claim(node);
  const bool ours = claim && claim->uid == round.removal().meta.uid;
  if (!ours || !taints::has_our_out_of_service(node)) return Step::Next;
  if (!node.is_ready() && !fenced_by(round.spec(), node).empty()) return Step::Next;
  round.decision.actions.emplace_back(set_taints(node, taints::without_out_of_service(node)));
  const auto off = " the taint " + std::string{crd::kOutOfServiceTaint} + " off it";
  if (node.is_ready()) {
    return round.wait("Draining", "The node is Ready again: taking" + off);
  }
  return round.wait("ClearingTerminatingPods",
                    "Nobody asserts any more that the machine of the node is off: taking" + off);
}

Step detach_from_dead_node(Round& round) {
  const auto to_be_marked = is_to_be_marked(round);
  if (!to_be_marked) return Step::Wait;
  if (!*to_be_marked) return Step::Next;
  const auto dead_time = dead_at(*round.status().evidence, round.node(), round.spec(), round.time);
  if (round.now < dead_time) {
    round.requeue_at(dead_time);
    return round.wait("NodeNotReady",
                      "Node " + round.node().meta.name +
                          " is NotReady and asserted to be off. If it stays NotReady until " +
                          crd::to_rfc3339(dead_time) + " it gets the taint " +
                          std::string{crd::kOutOfServiceTaint} +
                          ", with which Kubernetes detaches its volumes.");
  }
  if (brake_applies(round) == Step::Wait) return Step::Wait;
  return mark_out_of_service(round, condition::kVolumesDetached, "WaitingForVolumes");
}

Step remove_pods_of_dead_node(Round& round, const NodePods& pods) {
  const auto dead_time = dead_at(*round.status().evidence, round.node(), round.spec(), round.time);
  if (round.now < dead_time) return wait_for_tolerance(round, pods, dead_time);
  round.set(condition::kDrained, ConditionStatus::False, "NodeNotReady",
            "Not drained: the node is NotReady since " +
                crd::to_rfc3339(round.status().evidence->not_ready_since) +
                ", so its pods are deleted instead of evicted");
  if (brake_applies(round) == Step::Wait) return Step::Wait;
  const auto& all = *known(round.seen.pods);
  if (ask_for_claims(round, all) == Step::Wait) return Step::Wait;
  if (round.status().plan.empty()) write_plan(round, all);
  const auto to_be_marked = is_to_be_marked(round);
  if (!to_be_marked) return Step::Wait;
  if (*to_be_marked) {
    return mark_out_of_service(round, condition::kTerminatingPodsCleared,
                               "ClearingTerminatingPods");
  }

  DeadNodeWork work;
  for (const auto& entry : pods.leaving) {
    sort_dead_pod(round, entry, round.status().evidence->fenced, work);
  }
  const auto blocked = work.blockers.size();
  work.blockers.write(round);
  write_counts(round, pods, blocked);
  for (const auto& deletion : work.to_delete) round.decision.actions.emplace_back(deletion);
  wait_for_pods(round, pods, work);
  if (!work.to_delete.empty()) return Step::Wait;
  if (wait_for_replacements(round) == Step::Next) {
    for (const auto& clear : work.to_clear) round.decision.actions.emplace_back(clear);
  } else if (!work.blockers.empty() && !round.status().is_terminal()) {
    wait_for_pods(round, pods, work);  // what a human has to decide is the more important news
  }
  return Step::Wait;
}

}  // namespace reconcilers
