#include "reconcilers/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

Observation dry_run_with(std::vector<crd::Pod> pods) {
  auto seen = first_sight();
  seen.removal.spec.dry_run = true;
  seen.pods = std::move(pods);
  return seen;
}

std::vector<std::string> plan_of(const Decision& decision) {
  std::vector<std::string> texts;
  for (const auto& [pod, action, reason] : decision.status.plan) {
    texts.push_back(pod + " " + action + " " + reason.substr(0, reason.find(':')));
  }
  return texts;
}

crd::Pod with_claim(crd::Pod pod, const std::string& claim) {
  pod.claims = {claim};
  return pod;
}

TEST(DryRun, PlansAndTouchesNothing) {
  auto seen =
      dry_run_with({make_pod("proxy-1", "DaemonSet", "proxy"), make_mirror_pod("static"),
                    make_naked_pod("debug"), make_pod("web-1"), terminating(make_pod("web-2"))});
  const auto decision = decide_at(seen);
  EXPECT_THAT(plan_of(decision),
              ElementsAre("shop/proxy-1 Keep DaemonSetPod", "shop/static Keep MirrorPod",
                          "shop/debug Blocked UnmanagedPod", "shop/web-1 Evict Running",
                          "shop/web-2 Wait Terminating"));
  EXPECT_THAT(actions_of(decision), IsEmpty());
  EXPECT_EQ(summary(decision), "True/Planned");
  EXPECT_EQ(word(decision, condition::kStalled), "False/Planned") << "GitOps takes it for healthy";
  EXPECT_EQ(decision.status.completion_time, kNow);
  EXPECT_EQ(message_of(decision),
            "Nothing was touched. The plan: 1 Blocked, 1 Evict, 2 Keep, 1 Wait; see status.plan. "
            "Create a NodeRemoval without dryRun to carry it out.");
}

TEST(DryRun, AsksTheServerHowItWouldAnswerEvictions) {
  auto seen = dry_run_with({make_pod("web-1"), make_pod("web-2")});
  seen.trials.reset();
  EXPECT_THAT(decide_at(seen).needs, ElementsAre(FactName::Trials));
  seen.trials = std::map<std::string, Refusal>{
      {"pod-web-1", {"PodDisruptionBudget", "needs 3 healthy pods", "web", kNow}}};
  const auto decision = decide_at(seen);
  EXPECT_THAT(plan_of(decision),
              ElementsAre("shop/web-1 Blocked PodDisruptionBudget", "shop/web-2 Evict Running"));
  EXPECT_EQ(decision.status.plan.front().reason, "PodDisruptionBudget: needs 3 healthy pods");
  seen.removal.spec.drain.disable_eviction = true;
  seen.trials.reset();
  EXPECT_THAT(plan_of(decide_at(seen)),
              ElementsAre("shop/web-1 Delete Running", "shop/web-2 Delete Running"));
}

TEST(DryRun, SaysWhenTheRemovalWouldNotBegin) {
  auto seen = dry_run_with({make_pod("web-1")});
  node_of(seen).meta.annotations[std::string{crd::kProtectAnnotation}] = "";
  const auto decision = decide_at(seen);
  EXPECT_EQ(summary(decision), "True/Planned");
  EXPECT_THAT(message_of(decision),
              HasSubstr("The removal would not begin (NodeProtected): Node jetson is protected"));
  EXPECT_THAT(plan_of(decision), SizeIs(1)) << "the plan is there all the same";
}

TEST(DryRun, SaysWhichRemovalHasTheNode) {
  auto seen = dry_run_with({});
  claim(node_of(seen), "removal-2");
  seen.others = {{.name = "other", .uid = "removal-2", .node_name = "jetson", .accepted = true}};
  EXPECT_THAT(message_of(decide_at(seen)),
              HasSubstr("The removal would wait for NodeRemoval other, which has the node."));
}

TEST(DryRun, PlansForADeadNode) {
  auto seen =
      dry_run_with({make_pod("db-0", "StatefulSet", "db"), make_pod("web-1"),
                    with_claim(make_pod("web-2"), "own"), with_claim(make_pod("web-3"), "shared")});
  stop_kubelet(node_of(seen), kNow - 1h);
  seen.claims.reset();
  EXPECT_THAT(decide_at(seen).needs, ElementsAre(FactName::Claims));
  seen.claims = std::map<std::string, bool>{{"shop/own", true}, {"shop/shared", false}};
  EXPECT_THAT(plan_of(decide_at(seen)),
              ElementsAre("shop/db-0 Blocked NeedsFencing", "shop/web-1 Delete NodeNotReady",
                          "shop/web-2 Blocked NeedsFencing", "shop/web-3 Delete NodeNotReady"));
  seen.removal.spec.unreachable.fenced = true;
  for (const auto& text : plan_of(decide_at(seen))) EXPECT_THAT(text, HasSubstr("Delete"));
}

TEST(DryRun, PlansForPodsThatAreLeftOutOrLeftToFinish) {
  auto web = make_pod("web-1");
  web.meta.labels["app"] = "web";
  auto job = make_pod("job-1", "Job", "job");
  job.meta.labels["app"] = "job";
  auto seen = dry_run_with({make_pod("other-1"), job, web});
  auto& selector = seen.removal.spec.drain.pod_selector.emplace();
  selector.match_expressions = {
      {.key = "app", .op = crd::LabelSelector::Operator::Exists, .values = {}}};
  seen.removal.spec.drain.wait_for_completion.emplace().match_labels["app"] = "job";
  EXPECT_THAT(plan_of(decide_at(seen)),
              ElementsAre("shop/other-1 Blocked NotSelected", "shop/job-1 Wait WaitForCompletion",
                          "shop/web-1 Evict Running"));
  seen.removal.spec.delete_node = false;
  EXPECT_THAT(plan_of(decide_at(seen)).front(), StartsWith("shop/other-1 Keep"));
}

TEST(Plan, IsWrittenBeforeTheFirstEvictionAndNotChangedLater) {
  auto seen = cordoned_with({make_pod("web-1"), make_pod("web-2")});
  const auto decision = decide_at(seen);
  EXPECT_THAT(plan_of(decision),
              ElementsAre("shop/web-1 Evict Running", "shop/web-2 Evict Running"));
  seen.removal.status = decision.status;
  pods_of(seen).pop_back();
  EXPECT_EQ(decide_at(seen).status.plan, decision.status.plan);
}

TEST(Plan, IsWrittenBeforePodsOfADeadNodeAreDeleted) {
  EXPECT_THAT(plan_of(decide_at(dead_with({make_pod("web-1")}))),
              ElementsAre("shop/web-1 Delete NodeNotReady"));
}

TEST(Plan, IsBounded) {
  std::vector<crd::Pod> pods;
  for (int i = 100; i < 250; ++i) pods.push_back(make_pod("web-" + std::to_string(i)));
  const auto decision = decide_at(dry_run_with(pods));
  EXPECT_THAT(decision.status.plan, SizeIs(100));
  EXPECT_EQ(decision.status.plan_omitted, 50);
  EXPECT_EQ(decision.status.pods->total, 150);
}

}  // namespace
}  // namespace reconcilers
