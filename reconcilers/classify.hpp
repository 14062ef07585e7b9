#pragma once

#include <map>
#include <optional>
#include <string>

#include "crd/core_types.hpp"
#include "crd/node_removal.hpp"
#include "reconcilers/policy.hpp"

namespace reconcilers {

enum class PodClass {
  Leaves,     ///< has to be gone from the node before the Node is deleted
  Finishes,   ///< has to be gone as well, and ends by itself
  ComesBack,  ///< has to be gone as well, but telling it to leave only starts it here again
  NeedsWord,  ///< would have to leave, but nobody has agreed to what is lost with it
  LeftOut,    ///< the user does not want it drained; it would be lost with the Node
  Stays,      ///< belongs to the node: it goes with it
};

/// `reason` is a word for status (a Reason), `message` a sentence for humans with what to do.
struct PodVerdict {
  PodClass pod_class = PodClass::Leaves;
  std::string reason;
  std::string message;
};

/// What a removal has to do with one pod of its node, by the rules of `kubectl drain`: mirror pods
/// and (with ignoreDaemonSets) DaemonSet pods stay; pods that podSelector does not select are left
/// out; pods without a controller need `force`, pods with emptyDir volumes need
/// `deleteEmptyDirData`; finished pods and pods that are terminating already need nobody's word.
/// A DaemonSet that is deleted without its pods takes its owner reference from them, so that they
/// count as pods without a controller.
///
/// Beyond kubectl: pods that waitForCompletion selects are left to finish, and a pod whose
/// controller started it here after the cordon (`cordoned_at`) is not told to leave again and
/// again.
PodVerdict classify(const crd::Pod& pod, const crd::DrainSpec& drain,
                    std::optional<crd::TimePoint> cordoned_at);

/// Since when the node of this removal takes no new pods; nullopt before.
std::optional<crd::TimePoint> cordoned_at(const crd::NodeRemovalStatus& status);

/// Pods leave in waves, each when the one before is gone: workloads, cluster-critical pods,
/// node-critical pods, and last the operator itself.
int wave_of(const crd::Pod& pod, const Policy& policy);

/// True when two copies of the pod must never run at once: a StatefulSet pod, or one with a claimed
/// volume that only one node may use, that is not finished. Clearing it on a machine that may still
/// run needs fencing. A claim that is not in `exclusive_claims` counts as one that only one node
/// may use.
bool must_run_at_most_once(const crd::Pod& pod,
                           const std::map<std::string, bool>* exclusive_claims);

}  // namespace reconcilers
