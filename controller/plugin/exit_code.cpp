#include "controller/plugin/exit_code.hpp"

#include <algorithm>

#include "reconcilers/messages.hpp"

namespace plugin {

ExitCode exit_code_of_end(const crd::NodeRemoval& removal) {
  if (removal.spec.dry_run) return exit_code_of_plan(removal);
  const bool well = removal.status.conditions.is_true(crd::condition::kSucceeded);
  return well ? ExitCode::Done : ExitCode::Failed;
}

ExitCode exit_code_of_plan(const crd::NodeRemoval& removal) {
  const auto& status = removal.status;
  const auto* summary = status.conditions.find(crd::condition::kSucceeded);
  if (summary == nullptr || summary->status != crd::ConditionStatus::True) {
    return ExitCode::NeedsDecision;
  }
  if (summary->reason != "Planned") return ExitCode::Error;
  if (removal.is_group()) return ExitCode::Done;
  const bool blocked = std::ranges::any_of(
      status.plan, [](const crd::PlannedPod& pod) { return pod.action == "Blocked"; });
  // Pods that the status has no room for may be blocked as well; the message counts only the shown.
  const bool clear = summary->message.ends_with(reconcilers::kPlanIsClear);
  return blocked || !clear || status.plan_omitted > 0 ? ExitCode::NeedsDecision : ExitCode::Done;
}

}  // namespace plugin
