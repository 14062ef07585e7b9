#include <algorithm>
#include <optional>
#include <ranges>
#include <string>
#include <vector>

#include "reconcilers/drain_time_limit.hpp"
#include "reconcilers/guards.hpp"
#include "reconcilers/messages.hpp"
#include "reconcilers/migration.hpp"
#include "reconcilers/node_pods.hpp"
#include "reconcilers/plan.hpp"
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

/// The pause after such a refusal is for the next eviction, not for a deletion past the budgets.
bool is_refused_by_budget(const Round& round, const crd::Pod& pod) {
  const auto refused = round.seen.refusals.find(pod.meta.uid);
  return refused != round.seen.refusals.end() && is_budget_reason(refused->second.reason);
}

/// One pod of a Ready node that has to leave: tells it to when it may be told, and says what blocks
/// it otherwise. `deletion`: what the time limit asks for now.
void drain_pod(Round& round, const PodToRemove& entry, const std::optional<Evict>& deletion,
               Blockers& blockers) {
  const auto& pod = entry.pod;
  const bool comes_back = entry.verdict.pod_class == PodClass::ComesBack;
  if (deletion && !comes_back) {
    if (is_refused_by_budget(round, pod) ||
        !is_pausing(round, pod, round.seen.accepted, blockers)) {
      round.decision.actions.emplace_back(*deletion);
    }
    return;
  }
  if (pod.is_terminating()) {
    if (round.now >= overdue_at(pod, round)) {
      blockers.add(pod, pod.meta.finalizers.empty() ? "TerminatingTooLong" : "Finalizer",
                   overdue_message(pod));
    } else {
      round.requeue_at(overdue_at(pod, round));
    }
    return;
  }
  if (comes_back || entry.verdict.pod_class == PodClass::Finishes) {
    blockers.add(pod, entry.verdict.reason, entry.verdict.message);
    return;
  }
  if (is_pausing(round, pod, round.seen.accepted, blockers)) return;
  const auto& drain = round.spec().drain;
  round.decision.actions.emplace_back(
      Evict{pod.ref(), grace_to_ask_for(pod, drain), drain.disable_eviction});
}

int first_wave(const Round& round, const std::vector<PodToRemove>& pods) {
  const auto wave = [&](const PodToRemove& entry) { return wave_of(entry.pod, round.policy); };
  return std::ranges::min(pods | std::views::transform(wave));
}

Step end_after_time_limit(Round& round, const NodePods& pods) {
  const std::string message =
      "After " + std::to_string(round.spec().drain.timeout_seconds) + " s " +
      count_of(pods.leaving.size(), "pod") +
      " had not left the node: " + name_some(names_of(pods.leaving)) +
      ". The node is given back. See status.blockers for what was in the way.";
  round.set(condition::kDrained, ConditionStatus::False, "DrainTimedOut", message);
  return round.fail("DrainTimedOut", message);
}

Step drain_ready_node(Round& round, const NodePods& pods) {
  // What the dead-node path or an earlier, emptier view had found out no longer holds.
  for (const auto type : {condition::kTerminatingPodsCleared, condition::kPodsMigrated,
                          condition::kVolumesDetached, condition::kNodeDeleted}) {
    round.status().conditions.remove(type);
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
  if (round.status().plan.empty()) write_plan(round, *known(round.seen.pods));
  if (drain_is_over(round, needs_word)) return end_after_time_limit(round, pods);
  const int wave = first_wave(round, pods.leaving);
  for (const auto& entry : pods.leaving) {
    if (entry.verdict.pod_class == PodClass::NeedsWord) continue;
    const auto deletion = delete_before_time_limit(round, entry.pod);
    const bool its_turn = wave_of(entry.pod, round.policy) == wave || deletion.has_value();
    if (entry.pod.is_terminating() || (!needs_word && its_turn)) {
      drain_pod(round, entry, deletion, blockers);
    }
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
  const auto sorted = sort_pods(*pods, round.spec().drain, cordoned_at(round.status()));
  write_evidence(round);
  if (sorted.leaving.empty()) return pass_without_pods(round, sorted);

  std::vector<crd::Pod> leaving;
  for (const auto& entry : sorted.leaving) {
    if (entry.verdict.pod_class != PodClass::NeedsWord) leaving.push_back(entry.pod);
  }
  record_workloads(leaving, round.status());
  return round.node().is_ready() ? drain_ready_node(round, sorted)
                                 : remove_pods_of_dead_node(round, sorted);
}

}  // namespace reconcilers
