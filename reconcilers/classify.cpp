#include "reconcilers/classify.hpp"

namespace reconcilers {

PodVerdict classify(const crd::Pod& pod, const crd::DrainSpec& drain) {
  const auto* controller = pod.meta.controller();
  if (pod.is_mirror()) {
    return {PodClass::Stays, "MirrorPod", "static pod of the kubelet; goes with the machine"};
  }
  if (controller != nullptr && controller->kind == "DaemonSet") {
    if (drain.ignore_daemon_sets) {
      return {PodClass::Stays, "DaemonSetPod",
              "pod of DaemonSet " + controller->name + "; goes with the node"};
    }
    return {PodClass::NeedsWord, "DaemonSetPod",
            "pod of DaemonSet " + controller->name +
                ", which would start it again at once; set spec.drain.ignoreDaemonSets: true"};
  }
  if (pod.is_terminating()) return {PodClass::Leaves, "Terminating", ""};
  if (pod.is_finished()) return {PodClass::Leaves, "Finished", ""};
  if (controller == nullptr && !drain.force) {
    return {PodClass::NeedsWord, "UnmanagedPod",
            "no controller owns this pod, so nothing would start it again; delete it yourself, or "
            "create the "
            "NodeRemoval again with spec.drain.force: true"};
  }
  if (pod.empty_dir && !drain.delete_empty_dir_data) {
    return {PodClass::NeedsWord, "EmptyDirData",
            "this pod has an emptyDir volume whose data would be lost; delete it yourself, or "
            "create the "
            "NodeRemoval again with spec.drain.deleteEmptyDirData: true"};
  }
  return {PodClass::Leaves, "Running", ""};
}

bool must_run_at_most_once(const crd::Pod& pod) {
  const auto* controller = pod.meta.controller();
  if (pod.is_finished()) return false;
  return pod.claims_volume || (controller != nullptr && controller->kind == "StatefulSet");
}

}  // namespace reconcilers
