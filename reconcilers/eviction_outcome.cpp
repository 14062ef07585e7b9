#include "reconcilers/eviction_outcome.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "controller/backoff.hpp"

namespace reconcilers {
namespace {

using controller::ErrorKind;
using namespace std::chrono_literals;

/// The API server names the budget only in a sentence: "The disruption budget web needs 3 healthy
/// pods and has 3 currently" (the same in 1.20 and 1.36).
std::string budget_named_in(std::string_view message) {
  constexpr std::string_view kBefore = "The disruption budget ";
  const auto start = message.find(kBefore);
  if (start == std::string_view::npos) return {};
  const auto name = message.substr(start + kBefore.size());
  return std::string{name.substr(0, name.find(' '))};
}

std::string budget_message(const controller::KubeError& error) {
  for (const auto& cause : error.causes) {
    if (cause.reason == "DisruptionBudget") return cause.message;
  }
  return error.message;
}

std::chrono::milliseconds pause_before_retry(const controller::KubeError& error, int attempt,
                                             double random) {
  if (error.retry_after) return std::clamp<std::chrono::milliseconds>(*error.retry_after, 1s, 60s);
  constexpr controller::Backoff kBackoff{.first = 1s, .limit = 30s};
  return kBackoff.delay(attempt, random);
}

struct ResultByReason {
  std::string_view reason;
  std::string_view result;
};
constexpr auto kResultsByReason =
    std::to_array<ResultByReason>({{"PodDisruptionBudget", "blocked_by_budget"},
                                   {"ServerBusy", "busy"},
                                   {"EvictionForbidden", "forbidden"},
                                   {"MultiplePodDisruptionBudgets", "multiple_budgets"},
                                   {"NamespaceTerminating", "namespace_terminating"},
                                   {"EvictionRefused", "refused"},
                                   {"EvictionUnknown", "unknown"}});

}  // namespace

Refusal refusal_from(const controller::KubeError& error, int attempt, double random,
                     crd::TimePoint now) {
  const auto as = [&](std::string_view reason, std::string message, std::string pdb = {}) {
    return Refusal{.reason = std::string{reason},
                   .message = std::move(message),
                   .pdb = std::move(pdb),
                   .retry_at = now + pause_before_retry(error, attempt, random)};
  };
  if (error.kind == ErrorKind::TooManyRequests && error.has_cause("DisruptionBudget")) {
    const auto message = budget_message(error);
    return as("PodDisruptionBudget", message, budget_named_in(message));
  }
  if (error.kind == ErrorKind::TooManyRequests) return as("ServerBusy", error.message);
  if (error.message.find("more than one PodDisruptionBudget") != std::string::npos) {
    return as("MultiplePodDisruptionBudgets",
              "more than one PodDisruptionBudget selects this pod, so the API server refuses to "
              "evict it; change their "
              "selectors so that only one does");
  }
  if (error.kind == ErrorKind::Forbidden && error.has_cause("NamespaceTerminating")) {
    return as("NamespaceTerminating",
              "its namespace is being deleted, which removes the pod as well");
  }
  const bool by_rbac = error.message.find("cannot create resource") != std::string::npos ||
                       error.message.find("cannot delete resource") != std::string::npos;
  if (error.kind == ErrorKind::Forbidden && by_rbac) {
    return as("EvictionForbidden",
              error.message + " (give the operator its rights: kubectl apply -k manifests)");
  }
  if (error.kind == ErrorKind::Forbidden || error.kind == ErrorKind::Invalid) {
    return as("EvictionRefused", error.message);
  }
  if (error.kind == ErrorKind::Unknown) return as("EvictionUnknown", error.message);
  return as("EvictionFailed", error.message);
}

std::string_view eviction_result(const controller::Result<void>& answer) {
  if (answer) return "accepted";
  if (answer.error().kind == ErrorKind::NotFound) return "gone";
  if (answer.error().kind == ErrorKind::Conflict) return "conflict";
  const auto reason = refusal_from(answer.error(), 0, 0, {}).reason;
  const auto found = std::ranges::find(kResultsByReason, reason, &ResultByReason::reason);
  return found == kResultsByReason.end() ? "failed" : found->result;
}

Refusal explained_by(const crd::DisruptionBudget& budget, Refusal refusal) {
  const auto name = "PodDisruptionBudget " + budget.meta.ns + "/" + budget.meta.name;
  if (budget.never_allows()) {
    refusal.message = name + " can never let a pod go: all " +
                      std::to_string(budget.current_healthy) +
                      " pods it selects are healthy, and it " + "wants " +
                      std::to_string(budget.desired_healthy) +
                      " of them. Add replicas, or lower minAvailable or raise maxUnavailable";
  } else if (!budget.is_current()) {
    refusal.message += " (the status of " + name + " is not up to date, so this may change)";
  }
  return refusal;
}

}  // namespace reconcilers
