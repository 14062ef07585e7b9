#pragma once

#include <map>
#include <string>
#include <vector>

#include "crd/core_types.hpp"
#include "crd/node_removal.hpp"
#include "reconcilers/observation.hpp"

namespace reconcilers {

/// True for the kinds of controllers whose pods have to be ready elsewhere before the Node goes.
/// Job pods are not awaited (a Job ends by itself), nor pods of kinds whose replica counts we
/// cannot read.
bool is_awaited_kind(std::string_view kind);

/// Adds the controllers of these pods to the workloads in status, sorted. It must be written before
/// the first pod leaves: afterwards nothing tells any more who had to come up elsewhere.
void record_workloads(const std::vector<crd::Pod>& leaving, crd::NodeRemovalStatus& status);

/// Takes over what was learnt and returns the workloads that are not yet ready elsewhere, as
/// sentences such as "ReplicaSet default/web 2/3". Workloads without progress count as not ready. A
/// workload that is gone is ready.
std::vector<std::string> update_workloads(const std::map<std::string, WorkloadProgress>& progress,
                                          bool skip_stateful_sets, crd::NodeRemovalStatus& status);

}  // namespace reconcilers
