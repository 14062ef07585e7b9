#include "reconcilers/migration.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <tuple>

namespace reconcilers {

bool is_awaited_kind(std::string_view kind) {
  return kind == "ReplicaSet" || kind == "StatefulSet" || kind == "ReplicationController";
}

void record_workloads(const std::vector<crd::Pod>& leaving, crd::NodeRemovalStatus& status) {
  std::set<std::string> omitted;
  for (const auto& pod : leaving) {
    const auto* owner = pod.meta.controller();
    if (owner == nullptr || !is_awaited_kind(owner->kind)) continue;
    const auto recorded =
        std::ranges::find(status.workloads, owner->uid, &crd::WorkloadStatus::uid);
    if (recorded != status.workloads.end()) continue;
    if (status.workloads.size() >= crd::kMaxWorkloads) {
      omitted.insert(owner->uid);
      continue;
    }
    status.workloads.push_back({.kind = owner->kind,
                                .ns = pod.meta.ns,
                                .name = owner->name,
                                .uid = owner->uid,
                                .desired = 0,
                                .ready = 0});
  }
  status.workloads_omitted =
      std::max(status.workloads_omitted, static_cast<std::int64_t>(omitted.size()));
  std::ranges::sort(status.workloads, {}, [](const crd::WorkloadStatus& workload) {
    return std::tie(workload.ns, workload.name, workload.kind, workload.uid);
  });
}

std::vector<std::string> update_workloads(const std::map<std::string, WorkloadProgress>& progress,
                                          bool skip_stateful_sets, crd::NodeRemovalStatus& status) {
  std::vector<std::string> waiting;
  for (auto& workload : status.workloads) {
    const auto found = progress.find(workload.uid);
    if (found != progress.end()) {
      workload.desired = found->second.exists ? found->second.desired : 0;
      workload.ready = found->second.exists ? found->second.ready : 0;
    }
    const bool ready = found != progress.end() && workload.ready >= workload.desired;
    if (ready || (skip_stateful_sets && workload.kind == "StatefulSet")) continue;
    waiting.push_back(workload.kind + " " + workload.ns + "/" + workload.name + " " +
                      std::to_string(workload.ready) + "/" + std::to_string(workload.desired));
  }
  return waiting;
}

}  // namespace reconcilers
