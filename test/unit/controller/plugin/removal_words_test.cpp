#include "controller/plugin/removal_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "controller/plugin/view.hpp"
#include "test/unit/controller/plugin/removals.hpp"

namespace plugin {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(ChangeLine, HasWhatScriptsAndLogsNeed) {
  EXPECT_EQ(change_line(blocked()),
            "jetson DrainBlocked 12/24 blocked=shop/db-0(PodDisruptionBudget)");
  EXPECT_EQ(change_line(removal_of(kJetson, ended_status("False", "DrainTimedOut", "Too late."))),
            "jetson DrainTimedOut 2/2: Too late.");
  EXPECT_EQ(change_line(removal_of(kJetson, "")), "jetson NotSeen");
  EXPECT_EQ(change_line(removal_of(kJetson, blocked_status(),
                                   R"(,"deletionTimestamp":"2026-01-31T08:15:00Z")")),
            "jetson Cancelling 12/24 blocked=shop/db-0(PodDisruptionBudget)");
}

TEST(ChangeLine, NamesThreeBlockersAtMost) {
  auto removal = blocked();
  removal.status.blockers.resize(5, removal.status.blockers.front());
  removal.status.blockers_omitted = 7;
  EXPECT_THAT(change_line(removal), HasSubstr("(PodDisruptionBudget),+9"));
}

TEST(ChangeLine, CannotSteerTheTerminal) {
  auto removal = blocked();
  removal.status.blockers.front().pod = "a\x1b[31m/b\n";
  EXPECT_EQ(change_line(removal),
            "jetson DrainBlocked 12/24 blocked=a?[31m/b (PodDisruptionBudget)");
}

TEST(LineView, PrintsEachChangeOnceAndTheSameAfterAMinute) {
  LineView view;
  EXPECT_EQ(view.line(blocked(), kNow, ""),
            "2026-01-31T08:15:00Z jetson DrainBlocked 12/24 "
            "blocked=shop/db-0(PodDisruptionBudget)");
  EXPECT_EQ(view.line(blocked(), kNow + 59s, ""), "");
  EXPECT_NE(view.line(blocked(), kNow + 60s, ""), "");
  EXPECT_EQ(view.line(blocked(), kNow + 61s, "no answer"),
            "2026-01-31T08:16:01Z jetson no news: no answer");
  EXPECT_EQ(view.line(blocked(), kNow + 62s, "no answer"), "");
  EXPECT_NE(view.line(blocked(), kNow + 63s, ""), "") << "there is news again";
}

TEST(NextStep, SaysWhatHoldsItAndForHowLong) {
  EXPECT_EQ(next_step(blocked()),
            "shop/db-0: budget shop/db needs 2 healthy pods and has 2; raise the replicas. Time "
            "limit of the drain: 2026-01-31T09:11:10Z, then the removal fails.");
  EXPECT_THAT(
      next_step(removal_of(kJetson + R"(,"drain":{"onTimeout":"Delete","timeoutSeconds":60})",
                           blocked_status())),
      HasSubstr("2026-01-31T08:12:10Z, before which pods are deleted past their budgets."));
  EXPECT_EQ(next_step(removal_of(kJetson + R"(,"drain":{"timeoutSeconds":0})", blocked_status())),
            "shop/db-0: budget shop/db needs 2 healthy pods and has 2; raise the replicas.");
  EXPECT_THAT(next_step(removal_of(kJetson, "")), HasSubstr("see whether the operator runs"));
  EXPECT_EQ(next_step(removal_of(kJetson, ended_status("True", "NodeRemoved", "All done."))),
            "All done.");
}

TEST(Manager, IsWhoWouldCreateTheObjectAgain) {
  const auto manager = [](const std::string& metadata) {
    return manager_of(removal_of(kJetson, "", metadata));
  };
  EXPECT_EQ(manager(""), "");
  EXPECT_EQ(manager(R"(,"annotations":{"argocd.argoproj.io/tracking-id":"x"})"), "Argo CD");
  EXPECT_EQ(manager(R"(,"labels":{"argocd.argoproj.io/instance":"x"})"), "Argo CD");
  EXPECT_EQ(manager(R"(,"labels":{"kustomize.toolkit.fluxcd.io/name":"x"})"), "Flux");
  EXPECT_EQ(manager(R"(,"labels":{"helm.toolkit.fluxcd.io/name":"x"})"), "Flux");
  EXPECT_EQ(manager(R"(,"labels":{"app.kubernetes.io/managed-by":"Helm"})"), "Helm");
  EXPECT_EQ(manager(R"(,"annotations":{"argocd.argoproj.io/sync-wave":"1"})"), "")
      << "no mark of one that watches over it";
}

}  // namespace
}  // namespace plugin
