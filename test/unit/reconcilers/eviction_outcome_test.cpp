#include "reconcilers/eviction_outcome.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

using controller::ErrorCause;
using controller::ErrorKind;
using controller::KubeError;

KubeError error_of(ErrorKind kind, int http_status, const std::string& message,
                   std::vector<ErrorCause> causes = {}) {
  KubeError error;
  error.kind = kind;
  error.http_status = http_status;
  error.message = message;
  error.causes = std::move(causes);
  return error;
}

ErrorCause budget_cause(const std::string& message) { return {"DisruptionBudget", message, ""}; }

Refusal refusal(const KubeError& error) { return refusal_from(error, 0, 0.0, kNow); }

TEST(RefusalFrom, ReadsWhatTheServerSays) {
  const std::string needs = "The disruption budget web needs 3 healthy pods and has 3 currently";
  const struct {
    std::string name;
    KubeError error;
    Refusal refusal;
  } kCases[] = {
      {"PDB",
       error_of(ErrorKind::TooManyRequests, 429, "POST ...: 429: Cannot evict pod",
                {budget_cause(needs)}),
       {"PodDisruptionBudget", needs, "web", kNow + 1s}},
      {"PDB among other causes",
       error_of(ErrorKind::TooManyRequests, 429, "m", {{"Other", "x", ""}, budget_cause(needs)}),
       {"PodDisruptionBudget", needs, "web", kNow + 1s}},
      {"PDB that is still being processed",
       error_of(
           ErrorKind::TooManyRequests, 429, "m",
           {budget_cause("The disruption budget web is still being processed by the server.")}),
       {"PodDisruptionBudget", "The disruption budget web is still being processed by the server.",
        "web", kNow + 1s}},
      {"PDB without a name",
       error_of(ErrorKind::TooManyRequests, 429, "m",
                {budget_cause("no more disruptions allowed")}),
       {"PodDisruptionBudget", "no more disruptions allowed", "", kNow + 1s}},
      {"priority and fairness",
       error_of(ErrorKind::TooManyRequests, 429, "too many requests, please try again later"),
       {"ServerBusy", "too many requests, please try again later", "", kNow + 1s}},
      {"two PDBs",
       error_of(ErrorKind::ServerError, 500,
                "This pod has more than one PodDisruptionBudget, which the eviction subresource "
                "does not "
                "support."),
       {"MultiplePodDisruptionBudgets",
        "more than one PodDisruptionBudget selects this pod, so the API server refuses to evict "
        "it; change their "
        "selectors so that only one does",
        "", kNow + 1s}},
      {"another 500",
       error_of(ErrorKind::ServerError, 500, "etcdserver: request timed out"),
       {"EvictionFailed", "etcdserver: request timed out", "", kNow + 1s}},
      {"namespace is being deleted",
       error_of(ErrorKind::Forbidden, 403, "unable to create new content in namespace shop",
                {{"NamespaceTerminating", "namespace shop is being terminated", ""}}),
       {"NamespaceTerminating", "its namespace is being deleted, which removes the pod as well", "",
        kNow + 1s}},
      {"RBAC",
       error_of(ErrorKind::Forbidden, 403,
                "pods \"web-1\" is forbidden: User \"x\" cannot create resource \"pods/eviction\""),
       {"EvictionForbidden",
        "pods \"web-1\" is forbidden: User \"x\" cannot create resource \"pods/eviction\" (give "
        "the operator its rights: kubectl apply -k manifests)",
        "", kNow + 1s}},
      {"admission webhook",
       error_of(ErrorKind::Forbidden, 403,
                "admission webhook \"guard.example.com\" denied the request: not on Fridays"),
       {"EvictionRefused",
        "admission webhook \"guard.example.com\" denied the request: not on Fridays", "",
        kNow + 1s}},
      {"admission webhook without an answer",
       error_of(ErrorKind::ServerError, 500, "failed calling webhook \"guard.example.com\""),
       {"EvictionFailed", "failed calling webhook \"guard.example.com\"", "", kNow + 1s}},
      {"422",
       error_of(ErrorKind::Invalid, 422, "Eviction is invalid"),
       {"EvictionRefused", "Eviction is invalid", "", kNow + 1s}},
      {"401",
       error_of(ErrorKind::Unauthorized, 401, "Unauthorized"),
       {"EvictionFailed", "Unauthorized", "", kNow + 1s}},
      {"no answer in time",
       error_of(ErrorKind::Unknown, 0, "no answer within 35 s"),
       {"EvictionUnknown", "no answer within 35 s", "", kNow + 1s}},
      {"not sent",
       error_of(ErrorKind::NotSent, 0, "connection refused"),
       {"EvictionFailed", "connection refused", "", kNow + 1s}},
      {"a cause of another status",
       error_of(ErrorKind::ServerError, 500, "m", {budget_cause(needs)}),
       {"EvictionFailed", "m", "", kNow + 1s}},
  };
  for (const auto& [name, error, expected] : kCases) EXPECT_EQ(refusal(error), expected) << name;
}

TEST(RefusalFrom, FindsTheNameOfTheBudgetInItsSentence) {
  const struct {
    std::string message;
    std::string pdb;
  } kCases[] = {
      {"The disruption budget web needs 3 healthy pods and has 3 currently", "web"},
      {"Cannot evict pod: The disruption budget a.b-c does not manage pods", "a.b-c"},
      {"The disruption budget web", "web"},
      {"The disruption budget ", ""},
      {"Cannot evict pod as it would violate the pod's disruption budget.", ""},
      {"", ""},
  };
  for (const auto& [message, pdb] : kCases) {
    const auto error = error_of(ErrorKind::TooManyRequests, 429, "m", {budget_cause(message)});
    EXPECT_EQ(refusal(error).pdb, pdb) << message;
  }
}

TEST(RefusalFrom, HonoursRetryAfterWithinBounds) {
  auto error = error_of(ErrorKind::TooManyRequests, 429, "m", {budget_cause("m")});
  for (const auto& [sent, pause] :
       {std::pair{0s, 1s}, std::pair{1s, 1s}, std::pair{10s, 10s}, std::pair{60s, 60s},
        std::pair{61s, 60s}, std::pair{86400s, 60s}, std::pair{-5s, 1s}}) {
    error.retry_after = sent;
    for (const int attempt : {0, 30}) {
      EXPECT_EQ(refusal_from(error, attempt, 0.9, kNow).retry_at, kNow + pause) << sent.count();
    }
  }
}

TEST(RefusalFrom, PausesLongerAfterEveryRefusal) {
  const auto error = error_of(ErrorKind::TooManyRequests, 429, "m", {budget_cause("m")});
  const struct {
    int attempt;
    std::chrono::milliseconds shortest;
  } kCases[] = {{0, 1s}, {1, 2s}, {2, 4s}, {3, 8s}, {4, 15s}, {5, 15s}, {1000000, 15s}};
  for (const auto& [attempt, shortest] : kCases) {
    EXPECT_EQ(refusal_from(error, attempt, 0.0, kNow).retry_at, kNow + shortest) << attempt;
    EXPECT_EQ(refusal_from(error, attempt, 0.5, kNow).retry_at, kNow + shortest * 3 / 2) << attempt;
    EXPECT_LE(refusal_from(error, attempt, 0.999, kNow).retry_at, kNow + 30s) << attempt;
  }
}

crd::DisruptionBudget budget(std::int64_t healthy, std::int64_t allowed) {
  crd::DisruptionBudget budget;
  budget.meta.ns = "shop";
  budget.meta.name = "web";
  budget.meta.generation = budget.observed_generation = 1;
  budget.expected_pods = budget.desired_healthy = 3;
  budget.current_healthy = healthy;
  budget.disruptions_allowed = allowed;
  return budget;
}

TEST(ExplainedBy, SaysWhenABudgetCanNeverLetAPodGo) {
  const Refusal refusal{
      .reason = "PodDisruptionBudget", .message = "m", .pdb = "web", .retry_at = {}};
  EXPECT_EQ(
      explained_by(budget(3, 0), refusal).message,
      "PodDisruptionBudget shop/web can never let a pod go: all 3 pods it selects are healthy, "
      "and it wants 3 of them. Add replicas, or lower minAvailable or raise maxUnavailable");
  EXPECT_EQ(explained_by(budget(2, 0), refusal).message, "m") << "a pod is not healthy yet";
  EXPECT_EQ(explained_by(budget(3, 1), refusal).message, "m") << "somebody else was faster";
  auto evicting = budget(3, 0);
  evicting.has_disrupted_pods = true;
  EXPECT_EQ(explained_by(evicting, refusal).message, "m");
  auto nothing = budget(0, 0);
  nothing.expected_pods = 0;
  EXPECT_EQ(explained_by(nothing, refusal).message, "m");
}

TEST(ExplainedBy, DoesNotJudgeByAStatusThatIsNotUpToDate) {
  auto stale = budget(3, 0);
  stale.meta.generation = 2;
  EXPECT_EQ(
      explained_by(stale,
                   {.reason = "PodDisruptionBudget", .message = "m", .pdb = "web", .retry_at = {}})
          .message,
      "m (the status of PodDisruptionBudget shop/web is not up to date, so this may change)");
}

/// How often a pod that a budget never lets go is asked for in an hour.
TEST(RefusalFrom, CostsFewRequestsInAnHour) {
  const auto error = error_of(ErrorKind::TooManyRequests, 429, "m", {budget_cause("m")});
  for (const double random : {0.0, 0.5, 0.999}) {
    auto now = kNow;
    int attempts = 0;
    while (now < kNow + 1h) now = refusal_from(error, attempts++, random, now).retry_at;
    EXPECT_LE(attempts, 244) << random;
    EXPECT_GE(attempts, 120) << random;
  }
}

}  // namespace
}  // namespace reconcilers
