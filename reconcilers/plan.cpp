#include "reconcilers/plan.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "reconcilers/classify.hpp"
#include "reconcilers/guards.hpp"
#include "reconcilers/messages.hpp"
#include "reconcilers/node_pods.hpp"
#include "reconcilers/steps.hpp"

namespace reconcilers {
namespace {

namespace condition = crd::condition;

struct Planned {
  std::string_view action;
  std::string reason;
};

Planned blocked(const std::string& reason, const std::string& message) {
  return {"Blocked", reason + ": " + message};
}

Planned plan_on_ready_node(const Round& round, const crd::Pod& pod, const PodVerdict& verdict) {
  if (verdict.pod_class == PodClass::ComesBack) return blocked(verdict.reason, verdict.message);
  if (verdict.pod_class == PodClass::Finishes || pod.is_terminating())
    return {"Wait", verdict.reason};
  if (round.spec().drain.disable_eviction) return {"Delete", verdict.reason};
  const auto* trials = known(round.seen.trials);
  const auto refused = trials == nullptr ? decltype(trials->end()){} : trials->find(pod.meta.uid);
  if (trials != nullptr && refused != trials->end()) {
    return blocked(refused->second.reason, refused->second.message);
  }
  return {"Evict", verdict.reason};
}

Planned plan_on_dead_node(const Round& round, const crd::Pod& pod) {
  const bool fenced = !fenced_by(round.spec(), round.node()).empty();
  if (!fenced && must_run_at_most_once(pod, known(round.seen.claims))) {
    return blocked("NeedsFencing", needs_fencing_message(round.removal().meta.name));
  }
  return {"Delete", "NodeNotReady"};
}

Planned plan_pod(const Round& round, const crd::Pod& pod,
                 std::optional<crd::TimePoint> cordoned_time) {
  const auto verdict = classify(pod, round.spec().drain, cordoned_time);
  switch (verdict.pod_class) {
    case PodClass::Stays:
      return {"Keep", verdict.reason};
    case PodClass::NeedsWord:
      return blocked(verdict.reason, verdict.message);
    case PodClass::LeftOut:
      if (!round.spec().delete_node) return {"Keep", verdict.reason};
      return blocked(verdict.reason, verdict.message);
    case PodClass::Leaves:
    case PodClass::Finishes:
    case PodClass::ComesBack:
      break;
  }
  return round.node().is_ready() ? plan_on_ready_node(round, pod, verdict)
                                 : plan_on_dead_node(round, pod);
}

/// "2 Evict, 1 Keep"
std::string counts_of(const std::vector<crd::PlannedPod>& plan) {
  std::map<std::string, int> counts;
  for (const auto& pod : plan) ++counts[pod.action];
  std::string text;
  for (const auto& [action, count] : counts) {
    text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + action;
  }
  return text.empty() ? "no pods" : text;
}

std::string describe(Round& round, const std::vector<NodeSummary>& census) {
  auto text =
      "Nothing was touched. The plan: " + counts_of(round.status().plan) + "; see status.plan.";
  const auto& node = round.node();
  if (const auto refusal = refuse(round, census)) {
    return text + " The removal would not begin (" + refusal->reason + "): " + refusal->message;
  }
  if (const auto holder = held_by_other(node, round.removal().meta.uid, round.seen.others)) {
    return text + " The removal would wait for NodeRemoval " + *holder + ", which has the node.";
  }
  return text + " " + std::string{kPlanIsClear};
}

}  // namespace

void write_plan(Round& round, const std::vector<crd::Pod>& pods) {
  const auto cordoned_time = cordoned_at(round.status());
  std::vector<crd::PlannedPod> plan;
  plan.reserve(pods.size());
  for (const auto& pod : pods) {
    auto [action, reason] = plan_pod(round, pod, cordoned_time);
    plan.push_back(
        {.pod = pod.full_name(), .action = std::string{action}, .reason = std::move(reason)});
  }
  const auto kept = std::min(plan.size(), crd::kMaxPlan);
  round.status().plan_omitted = static_cast<std::int64_t>(plan.size() - kept);
  plan.resize(kept);
  round.status().plan = std::move(plan);
}

Step plan_only(Round& round) {
  if (!round.spec().dry_run) return Step::Next;
  round.status().node_uid = round.node().meta.uid;
  const auto* census = known(round.seen.census);
  if (census == nullptr) return round.need(FactName::Census, round.seen.census);
  if (ask_for_removed_nodes(round) == Step::Wait) return Step::Wait;
  const auto* pods = known(round.seen.pods);
  if (pods == nullptr) return round.need(FactName::Pods, round.seen.pods);
  if (round.node().is_ready()) {
    const bool evicts = !round.spec().drain.disable_eviction;
    if (evicts && known(round.seen.trials) == nullptr) {
      return round.need(FactName::Trials, round.seen.trials);
    }
  } else if (ask_for_claims(round, *pods) == Step::Wait) {
    return Step::Wait;
  }
  write_plan(round, *pods);
  write_counts(round, sort_pods(*pods, round.spec().drain, std::nullopt), 0);
  round.pass(condition::kAccepted, "Planned", "Looked at only, because spec.dryRun is true");
  return round.succeed("Planned", describe(round, *census));
}

}  // namespace reconcilers
