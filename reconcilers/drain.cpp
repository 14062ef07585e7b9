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

std::vector<std::string> names_of(const std::vector<PodToRemove>& pods) {
  std::vector<std::string> names;
  names.reserve(pods.size());
  for (const auto& entry : pods) names.push_back(entry.pod.full_name());
  return names;
}

/// One pod of a Ready node: asks for its eviction when it may be asked for, and says what blocks it
/// otherwise.
void drain_pod(Round& round, const PodToRemove& entry, Blockers& blockers) {
  const auto& pod = entry.pod;
  if (pod.is_terminating()) {
    if (is_overdue(pod, round.policy, round.now)) {
      blockers.add(pod, pod.meta.finalizers.empty() ? "TerminatingTooLong" : "Finalizer",
                   overdue_message(pod));
    } else {
      round.requeue_at(*pod.meta.deletion_timestamp + round.policy.overdue_margin);
    }
    return;
  }
  if (is_pausing(round, pod, round.seen.accepted, blockers)) return;
  round.decision.actions.emplace_back(Evict{pod.ref(), round.spec().drain.grace_period_seconds});
}

Step drain_ready_node(Round& round, const NodePods& pods) {
  // What the dead-node path or an earlier, emptier view had found out no longer holds.
  for (const auto type : {condition::kTerminatingPodsCleared, condition::kPodsMigrated,
                          condition::kVolumesDetached, condition::kNodeDeleted}) {
    round.status().conditions.remove(type);
  }
  if (round.timed_out(condition::kDrained, round.spec().drain.timeout_seconds)) {
    const std::string message =
        "After " + std::to_string(round.spec().drain.timeout_seconds) + " s " +
        count_of(pods.leaving.size(), "pod") +
        " had not left the node: " + name_some(names_of(pods.leaving)) +
        ". The node is given back. See status.blockers for what was in the way.";
    round.set(condition::kDrained, ConditionStatus::False, "DrainTimedOut", message);
    return round.fail("DrainTimedOut", message);
  }
  Blockers blockers;
  for (const auto& entry : pods.leaving) {
    if (entry.verdict.pod_class == PodClass::NeedsWord) {
      blockers.add(entry.pod, entry.verdict.reason, entry.verdict.message);
    }
  }
  // As kubectl drain does: nothing is disturbed as long as somebody has to decide about one of the
  // pods.
  const bool needs_word = !blockers.empty();
  for (const auto& entry : pods.leaving) {
    if (entry.verdict.pod_class == PodClass::NeedsWord) continue;
    if (!needs_word || entry.pod.is_terminating()) drain_pod(round, entry, blockers);
  }
  blockers.write(round);
  write_counts(round, pods, blockers.size());
  if (!blockers.empty()) {
    return round.wait(condition::kDrained, "DrainBlocked",
                      count_of(blockers.size(), "pod") + " cannot leave: " + blockers.summary());
  }
  return round.wait(condition::kDrained, "Draining",
                    "Waiting for " + count_of(pods.leaving.size(), "pod") +
                        " to leave: " + name_some(names_of(pods.leaving)));
}

void write_evidence(Round& round) {
  const auto& node = round.node();
  auto& evidence = round.status().evidence;
  if (node.is_ready()) {
    evidence.reset();
    return;
  }
  const auto fenced = fenced_by(round.spec(), node);
  const auto observed_since =
      evidence ? evidence->observed_since : std::chrono::floor<std::chrono::seconds>(round.now);
  const auto since = node.ready_transition_time ? *node.ready_transition_time : observed_since;
  evidence = crd::Evidence{.ready = node.ready,
                           .not_ready_since = since,
                           .observed_since = observed_since,
                           .reason = node.ready_reason,
                           .message = node.ready_message,
                           .fenced = !fenced.empty(),
                           .fenced_by = fenced};
}

Step pass_without_pods(Round& round, const NodePods& pods) {
  Blockers{}.write(round);
  write_counts(round, pods, 0);
  const auto& conditions = round.status().conditions;
  const bool dead_path =
      conditions.find(condition::kTerminatingPodsCleared) != nullptr ||
      (conditions.is(condition::kDrained, ConditionStatus::False) && !round.node().is_ready());
  if (dead_path) {
    round.pass(condition::kTerminatingPodsCleared, "Cleared",
               "No pod that has to leave is on the node");
  } else {
    round.pass(condition::kDrained, "Drained", "No pod that has to leave is on the node");
  }
  return Step::Next;
}

}  // namespace

Step remove_pods(Round& round) {
  const auto* pods = known(round.seen.pods);
  if (pods == nullptr) return round.need(FactName::Pods, round.seen.pods);
  const auto sorted = sort_pods(*pods, round.spec().drain);
  write_evidence(round);
  if (sorted.leaving.empty()) return pass_without_pods(round, sorted);

  std::vector<crd::Pod> leaving;
  for (const auto& entry : sorted.leaving) {
    if (entry.verdict.pod_class == PodClass::Leaves) leaving.push_back(entry.pod);
  }
  record_workloads(leaving, round.status());
  return round.node().is_ready() ? drain_ready_node(round, sorted)
                                 : remove_pods_of_dead_node(round, sorted);
}

}  // namespace reconcilers
