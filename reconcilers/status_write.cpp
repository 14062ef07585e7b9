#include "reconcilers/status_write.hpp"

#include <algorithm>

namespace reconcilers {

bool is_news(const crd::NodeRemovalStatus& before, const crd::NodeRemovalStatus& after) {
  const auto same_condition = [](const crd::Condition& a, const crd::Condition& b) {
    return a.type == b.type && a.status == b.status && a.reason == b.reason &&
           a.observed_generation == b.observed_generation;
  };
  const auto same_blocker = [](const crd::Blocker& a, const crd::Blocker& b) {
    return a.uid == b.uid && a.reason == b.reason;
  };
  const auto same_workload = [](const crd::WorkloadStatus& a, const crd::WorkloadStatus& b) {
    return a.uid == b.uid;
  };
  return before.observed_generation != after.observed_generation ||
         before.node_uid != after.node_uid || before.start_time != after.start_time ||
         before.completion_time != after.completion_time ||
         before.evidence.has_value() != after.evidence.has_value() ||
         before.plan.empty() != after.plan.empty() || before.nodes != after.nodes ||
         !std::ranges::equal(before.conditions.all(), after.conditions.all(), same_condition) ||
         !std::ranges::equal(before.blockers, after.blockers, same_blocker) ||
         !std::ranges::equal(before.workloads, after.workloads, same_workload);
}

}  // namespace reconcilers
