#pragma once

#include <string>

#include "crd/core_types.hpp"
#include "crd/node_removal.hpp"

namespace reconcilers {

enum class PodClass {
  Leaves,     ///< has to be gone from the node before the Node is deleted
  Stays,      ///< belongs to the node: it goes with it
  NeedsWord,  ///< would have to leave, but nobody has agreed to what is lost with it
};

/// `reason` is a word for status (a Reason), `message` a sentence for humans with what to do.
struct PodVerdict {
  PodClass pod_class = PodClass::Leaves;
  std::string reason;
  std::string message;
};

/// What a removal has to do with one pod of its node, by the rules of `kubectl drain`: mirror pods
/// and (with ignoreDaemonSets) DaemonSet pods stay; pods without a controller need `force`, pods
/// with emptyDir volumes need `deleteEmptyDirData`; finished pods and pods that are terminating
/// already need nobody's word.
PodVerdict classify(const crd::Pod& pod, const crd::DrainSpec& drain);

/// True when two copies of the pod must never run at once, as far as its object shows: a
/// StatefulSet pod or one with a claimed volume that is not finished. Clearing it on a machine that
/// may still run needs fencing.
bool must_run_at_most_once(const crd::Pod& pod);

}  // namespace reconcilers
