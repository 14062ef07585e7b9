#include "reconcilers/classify.hpp"

#include <algorithm>
#include <chrono>

#include "reconcilers/hand_over_pod.hpp"

namespace reconcilers {
namespace {

constexpr std::string_view kUnschedulableTaint = "node.kubernetes.io/unschedulable";

/// A cordoned node has both taints, and the scheduler gives it only pods that tolerate both.
bool tolerates_cordon(const crd::Pod& pod) {
  const auto tolerates = [&](std::string_view key) {
    return pod.tolerates({.key = std::string{key}, .value = {}, .effect = "NoSchedule"});
  };
  return tolerates(kUnschedulableTaint) && tolerates(crd::kRemovingTaint);
}

/// A pod may still be bound this long after the cordon, by a scheduler that has not seen it yet.
constexpr std::chrono::seconds kLateBinding{5};

/// nullopt unless its controller started the pod here although the node is cordoned.
std::optional<PodVerdict> came_back(const crd::Pod& pod,
                                    std::optional<crd::TimePoint> cordoned_at) {
  if (!cordoned_at || !pod.meta.creation_timestamp || pod.meta.controller() == nullptr) {
    return std::nullopt;
  }
  const auto since = *pod.meta.creation_timestamp - *cordoned_at;
  if (tolerates_cordon(pod) && since > std::chrono::seconds{0}) {
    return PodVerdict{PodClass::ComesBack, "ToleratesCordon",
                      "it tolerates the taints of a cordoned node and was started here again after "
                      "the cordon; take the toleration without a key out of its template, then "
                      "delete it"};
  }
  if (since > kLateBinding) {
    return PodVerdict{PodClass::ComesBack, "BypassesScheduler",
                      "it was started on the cordoned node again, past the scheduler; take "
                      "spec.nodeName out of its template, then delete it"};
  }
  return std::nullopt;
}

PodVerdict of_daemon_set(const std::string& name, const crd::DrainSpec& drain) {
  if (drain.ignore_daemon_sets) {
    return {PodClass::Stays, "DaemonSetPod", "pod of DaemonSet " + name + "; goes with the node"};
  }
  return {PodClass::NeedsWord, "DaemonSetPod",
          "pod of DaemonSet " + name +
              ", which belongs to the node; create the NodeRemoval again with "
              "spec.drain.ignoreDaemonSets: true"};
}

}  // namespace

PodVerdict classify(const crd::Pod& pod, const crd::DrainSpec& drain,
                    std::optional<crd::TimePoint> cordoned_at) {
  const auto* controller = pod.meta.controller();
  if (pod.is_mirror()) {
    return {PodClass::Stays, "MirrorPod", "static pod of the kubelet; goes with the machine"};
  }
  if (is_hand_over_pod(pod)) {
    return {PodClass::Stays, "HostCleanup", "hands the cleaning of the machine over to it"};
  }
  if (controller != nullptr && controller->kind == "DaemonSet") {
    return of_daemon_set(controller->name, drain);
  }
  if (drain.pod_selector && !drain.pod_selector->matches(pod.meta.labels)) {
    if (pod.is_finished()) return {PodClass::Stays, "Finished", ""};
    return {PodClass::LeftOut, "NotSelected",
            "spec.drain.podSelector does not select this pod, and it would be lost with the Node; "
            "delete it yourself, or create the NodeRemoval again with spec.deleteNode: false"};
  }
  if (pod.is_terminating()) return {PodClass::Leaves, "Terminating", ""};
  if (pod.is_finished()) return {PodClass::Leaves, "Finished", ""};
  if (drain.wait_for_completion && drain.wait_for_completion->matches(pod.meta.labels)) {
    return {PodClass::Finishes, "WaitForCompletion",
            "spec.drain.waitForCompletion selects it, so it is left to finish by itself"};
  }
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
  if (auto verdict = came_back(pod, cordoned_at)) return *std::move(verdict);
  return {PodClass::Leaves, "Running", ""};
}

std::optional<crd::TimePoint> cordoned_at(const crd::NodeRemovalStatus& status) {
  const auto* cordoned = status.conditions.find(crd::condition::kCordoned);
  if (cordoned == nullptr || cordoned->status != crd::ConditionStatus::True) return std::nullopt;
  return cordoned->last_transition_time;
}

int wave_of(const crd::Pod& pod, const Policy& policy) {
  if (!policy.own_pod.empty() && pod.full_name() == policy.own_pod) return 3;
  if (pod.is_finished()) return 0;
  if (pod.priority_class == "system-node-critical") return 2;
  return pod.priority_class == "system-cluster-critical" ? 1 : 0;
}

bool must_run_at_most_once(const crd::Pod& pod,
                           const std::map<std::string, bool>* exclusive_claims) {
  if (pod.is_finished()) return false;
  const auto* controller = pod.meta.controller();
  if (controller != nullptr && controller->kind == "StatefulSet") return true;
  return std::ranges::any_of(pod.claims, [&](const std::string& claim) {
    if (exclusive_claims == nullptr) return true;
    const auto found = exclusive_claims->find(pod.meta.ns + "/" + claim);
    return found == exclusive_claims->end() || found->second;
  });
}

}  // namespace reconcilers
