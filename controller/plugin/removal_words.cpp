#include "controller/plugin/removal_words.hpp"

#include <algorithm>
#include <chrono>

#include "controller/plugin/text.hpp"
#include "reconcilers/messages.hpp"

namespace plugin {
namespace {

namespace condition = crd::condition;
constexpr std::size_t kBlockersInLine = 3;

const crd::Condition* summary_of(const crd::NodeRemoval& removal) {
  return removal.status.conditions.find(condition::kSucceeded);
}

/// " Time limit of the drain: 2026-01-31T08:15:00Z, then the removal fails."
std::string drain_deadline(const crd::NodeRemoval& removal) {
  const auto& drain = removal.spec.drain;
  const auto* drained = removal.status.conditions.find(condition::kDrained);
  if (drained == nullptr || drained->status != crd::ConditionStatus::Unknown ||
      drain.timeout_seconds == 0) {
    return {};
  }
  const auto end = drained->last_transition_time + std::chrono::seconds{drain.timeout_seconds};
  return " Time limit of the drain: " + crd::to_rfc3339(end) +
         (drain.on_timeout == crd::DrainTimeoutAction::Fail
              ? ", then the removal fails."
              : ", before which pods are deleted past their budgets.");
}

}  // namespace

std::string status_word(const crd::NodeRemoval& removal) {
  if (removal.is_being_deleted() && !removal.status.is_terminal()) return "Cancelling";
  const auto* summary = summary_of(removal);
  return summary == nullptr || summary->reason.empty() ? "NotSeen" : clean(summary->reason);
}

std::string pods_word(const crd::NodeRemoval& removal) {
  const auto& pods = removal.status.pods;
  if (!pods) return {};
  return std::to_string(pods->evicted) + "/" + std::to_string(pods->total);
}

std::string node_word(const crd::NodeRemoval& removal) {
  if (!removal.is_group()) return clean(removal.spec.node_name);
  return reconcilers::count_of(removal.status.nodes.size(), "node");
}

std::string next_step(const crd::NodeRemoval& removal) {
  const auto* summary = summary_of(removal);
  if (removal.is_being_deleted() && !removal.status.is_terminal()) {
    return "It is being cancelled: what it changed on the node is taken back. When this stays, see "
           "whether the operator runs.";
  }
  if (summary == nullptr) {
    return "The operator has not looked at it yet. When this stays, see whether the operator runs: "
           "kubectl -n noderemoval-system get pods";
  }
  const auto& blockers = removal.status.blockers;
  if (removal.status.is_terminal() || blockers.empty()) return clean(summary->message);
  return clean(blockers.front().pod + ": " + blockers.front().message) +
         (clean(blockers.front().message).ends_with('.') ? "" : ".") + drain_deadline(removal);
}

std::string change_line(const crd::NodeRemoval& removal) {
  auto line = clean(removal.meta.name) + " " + status_word(removal);
  if (const auto pods = pods_word(removal); !pods.empty()) line += " " + pods;
  const auto& status = removal.status;
  const auto shown = std::min(status.blockers.size(), kBlockersInLine);
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& blocker = status.blockers[i];
    line += (i == 0 ? " blocked=" : ",") + clean(blocker.pod + "(" + blocker.reason + ")");
  }
  const auto more =
      static_cast<std::int64_t>(status.blockers.size() - shown) + status.blockers_omitted;
  if (more > 0) line += ",+" + std::to_string(more);
  if (status.is_terminal()) line += ": " + next_step(removal);
  return line;
}

std::string manager_of(const crd::NodeRemoval& removal) {
  if (!removal.is_managed()) return {};
  const auto has = [](const auto& marks, std::string_view prefix) {
    return std::ranges::any_of(marks,
                               [&](const auto& mark) { return mark.first.starts_with(prefix); });
  };
  const auto& meta = removal.meta;
  if (has(meta.annotations, "argocd.argoproj.io/") || has(meta.labels, "argocd.argoproj.io/")) {
    return "Argo CD";
  }
  const bool flux = has(meta.labels, "kustomize.toolkit.fluxcd.io/") ||
                    has(meta.labels, "helm.toolkit.fluxcd.io/");
  return flux ? "Flux" : "Helm";
}

}  // namespace plugin
