#include "reconcilers/status_write.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

crd::NodeRemovalStatus status_in_the_middle() {
  auto status = make_active_removal().status;
  status.conditions.set(condition::kDrained, crd::ConditionStatus::Unknown, "Draining", "2 pods",
                        kNow, 1);
  status.pods = crd::PodCounts{.total = 2, .remaining = 2};
  status.blockers = {{"shop/web-1", "pod-web-1", "PodDisruptionBudget", "needs 3", "web", kNow}};
  status.workloads = {{"ReplicaSet", "shop", "web", "owner-web", 2, 0}};
  return status;
}

using Change = std::function<void(crd::NodeRemovalStatus&)>;

bool is_news_after(const Change& change) {
  auto after = status_in_the_middle();
  change(after);
  return is_news(status_in_the_middle(), after);
}

TEST(IsNews, IsNothingThatStayedTheSame) {
  EXPECT_FALSE(is_news_after([](auto&) {}));
}

TEST(IsNews, IsWhatSomebodyWaitsFor) {
  const struct {
    std::string what;
    Change change;
  } kCases[] = {
      {"generation", [](auto& s) { s.observed_generation = 2; }},
      {"identity", [](auto& s) { s.node_uid = "node-2"; }},
      {"begin", [](auto& s) { s.start_time = kNow; }},
      {"end", [](auto& s) { s.completion_time = kNow; }},
      {"condition turned",
       [](auto& s) {
         s.conditions.set(condition::kDrained, crd::ConditionStatus::True, "Draining", "2 pods",
                          kNow, 1);
       }},
      {"other reason",
       [](auto& s) {
         s.conditions.set(condition::kDrained, crd::ConditionStatus::Unknown, "DrainBlocked",
                          "2 pods", kNow, 1);
       }},
      {"condition of a later generation", [](auto& s) { s.conditions.set_generation(2); }},
      {"condition came",
       [](auto& s) {
         s.conditions.set(condition::kStalled, crd::ConditionStatus::False, "R", "m", kNow, 1);
       }},
      {"condition went", [](auto& s) { s.conditions.remove(condition::kDrained); }},
      {"blocker went", [](auto& s) { s.blockers.clear(); }},
      {"blocker came", [](auto& s) { s.blockers.push_back({"a/b", "u", "R", "m", "", kNow}); }},
      {"blocker for another reason", [](auto& s) { s.blockers.front().reason = "ServerBusy"; }},
      {"another pod blocks", [](auto& s) { s.blockers.front().uid = "pod-web-2"; }},
      {"workload recorded",
       [](auto& s) { s.workloads.push_back({"StatefulSet", "shop", "db", "owner-db", 0, 0}); }},
      {"plan", [](auto& s) { s.plan.push_back({"a/b", "Evict", "Running"}); }},
      {"a node that is about to get its child",
       [](auto& s) { s.nodes.push_back({"jetson", "node-1", "Starting"}); }},
      {"evidence", [](auto& s) { s.evidence = crd::Evidence{}; }},
  };
  for (const auto& [what, change] : kCases) EXPECT_TRUE(is_news_after(change)) << what;
}

TEST(IsNews, IsNotWhatMayWaitForTheNextWrite) {
  const struct {
    std::string what;
    Change change;
  } kCases[] = {
      {"counts", [](auto& s) { s.pods->remaining = 1; }},
      {"counts for the first time", [](auto& s) { s.pods.reset(); }},
      {"message",
       [](auto& s) {
         s.conditions.set(condition::kDrained, crd::ConditionStatus::Unknown, "Draining", "1 pod",
                          kNow, 1);
       }},
      {"text of a blocker", [](auto& s) { s.blockers.front().message = "needs 4"; }},
      {"replicas", [](auto& s) { s.workloads.front().ready = 1; }},
      {"omitted entries", [](auto& s) { s.blockers_omitted = s.workloads_omitted = 1; }},
  };
  for (const auto& [what, change] : kCases) EXPECT_FALSE(is_news_after(change)) << what;
}

}  // namespace
}  // namespace reconcilers
