#include "reconcilers/gate.hpp"

#include <algorithm>
#include <chrono>

#include "reconcilers/classify.hpp"
#include "reconcilers/guards.hpp"
#include "reconcilers/messages.hpp"

namespace reconcilers {
namespace {

/// What holds for every destructive step: this removal is alive and bound to exactly this node.
std::optional<std::string> identity_problem(const std::string& removal_uid,
                                            const FreshView& fresh) {
  const auto& removal = fresh.removal;
  if (removal.meta.uid != removal_uid)
    return "the NodeRemoval was replaced by another of the same name";
  if (removal.is_being_deleted()) return "the NodeRemoval is being deleted (cancelled)";
  if (removal.status.is_terminal()) return "the NodeRemoval is finished already";
  if (removal.spec_changed) return "the spec of the NodeRemoval was changed";
  if (removal.spec.suspend) return "the NodeRemoval is suspended";
  if (fresh.node.meta.name.empty() || fresh.node.meta.name != removal.spec.node_name) {
    return "the node read is not the one in spec.nodeName";
  }
  if (removal.status.node_uid.empty() || fresh.node.meta.uid != removal.status.node_uid) {
    return "the node has another UID than the one this removal is bound to";
  }
  const auto claim = read_claim(fresh.node);
  if (!claim || claim->uid != removal_uid) return "the node is not claimed by this NodeRemoval";
  if (!fresh.node.unschedulable) return "the node is schedulable again";
  return std::nullopt;
}

std::optional<std::string> settle_problem(const crd::NodeRemoval& removal, const Policy& policy,
                                          crd::WallTime time) {
  const auto* cordoned = removal.status.conditions.find(crd::condition::kCordoned);
  if (cordoned == nullptr || cordoned->status != crd::ConditionStatus::True) {
    return "the cordon is not recorded in status yet";
  }
  if (time.now < settled_at(cordoned->last_transition_time, policy, time)) {
    return "the cordon is too fresh: a pod may still be bound to the node";
  }
  return std::nullopt;
}

std::optional<std::string> pods_problem(const crd::NodeRemoval& removal,
                                        const std::vector<crd::Pod>& pods) {
  std::vector<std::string> left;
  for (const auto& pod : pods) {
    const auto verdict = classify(pod, removal.spec.drain, cordoned_at(removal.status));
    if (verdict.pod_class != PodClass::Stays) left.push_back(pod.full_name());
  }
  if (left.empty()) return std::nullopt;
  return count_of(left.size(), "pod") + " would be lost with the node: " + name_some(left);
}

std::optional<std::string> death_problem(const FreshView& fresh, crd::WallTime time) {
  if (fresh.node.is_ready()) return "the node is Ready again";
  const auto& evidence = fresh.removal.status.evidence;
  if (!evidence) return "the evidence that the node is dead is not recorded in status yet";
  if (time.now < dead_at(*evidence, fresh.node, fresh.removal.spec, time)) {
    return "the node is not NotReady for long enough";
  }
  return std::nullopt;
}

/// A machine that is to be cleaned is cleaned first, or given up for a reason that status names.
std::optional<std::string> cleanup_problem(const crd::NodeRemoval& removal) {
  if (!removal.spec.host_cleanup.enabled) return std::nullopt;
  const auto* cleaned = removal.status.conditions.find(crd::condition::kHostCleaned);
  if (cleaned != nullptr && cleaned->status != crd::ConditionStatus::Unknown) return std::nullopt;
  return "status does not say yet what became of the cleaning of the machine";
}

/// The start is announced in status first, and somebody still waits for what becomes of it.
std::optional<std::string> start_problem(const crd::NodeRemoval& removal, crd::WallTime time) {
  const auto* cleaned = removal.status.conditions.find(crd::condition::kHostCleaned);
  if (cleaned == nullptr || cleaned->status != crd::ConditionStatus::Unknown) {
    return "status does not say that the cleaning of the machine is under way";
  }
  const auto limit = std::chrono::seconds{removal.spec.host_cleanup.timeout_seconds};
  const auto since = std::max(cleaned->last_transition_time, time.even_since);
  if (time.now >= since + limit) return "the time of the cleaning is over";
  return std::nullopt;
}

/// What has to hold before the node is lost, with its pods and, if so wanted, what is on its
/// machine.
std::optional<std::string> loss_problem(const std::string& removal_uid, const FreshView& fresh,
                                        const std::vector<crd::Pod>& pods,
                                        const std::vector<NodeSummary>& census,
                                        const std::vector<OtherRemoval>& others,
                                        const Policy& policy, crd::WallTime time) {
  if (!fresh.removal.spec.delete_node) return "spec.deleteNode is false";
  if (auto problem = identity_problem(removal_uid, fresh)) return problem;
  if (auto problem = settle_problem(fresh.removal, policy, time)) return problem;
  if (auto refusal = refuse_control_plane(fresh.removal.spec, fresh.node, census, others)) {
    return refusal->message;
  }
  if (fresh.node.meta.annotations.contains(std::string{crd::kProtectAnnotation})) {
    return "the node carries the annotation " + std::string{crd::kProtectAnnotation};
  }
  if (auto refusal = refuse_last_schedulable(fresh.node, census, others)) return refusal->message;
  if (auto problem = brake(census, policy)) return problem;
  return pods_problem(fresh.removal, pods);
}

}  // namespace

std::expected<crd::NodeDeletePermit, std::string> DeleteGate::permit(
    const std::string& removal_uid, const FreshView& fresh, const std::vector<crd::Pod>& pods,
    const std::vector<NodeSummary>& census, const std::vector<OtherRemoval>& others,
    const Policy& policy, crd::WallTime time) {
  if (auto problem = loss_problem(removal_uid, fresh, pods, census, others, policy, time)) {
    return std::unexpected(*problem);
  }
  if (auto problem = cleanup_problem(fresh.removal)) return std::unexpected(*problem);
  if (fresh.node.meta.uid.empty() || fresh.node.meta.resource_version.empty()) {
    return std::unexpected("the node was read without UID or resourceVersion");
  }
  return crd::NodeDeletePermit{fresh.node.meta.name, fresh.node.meta.uid,
                               fresh.node.meta.resource_version};
}

std::expected<void, std::string> may_clean_host(const std::string& removal_uid,
                                                const FreshView& fresh,
                                                const std::vector<crd::Pod>& pods,
                                                const std::vector<NodeSummary>& census,
                                                const std::vector<OtherRemoval>& others,
                                                const Policy& policy, crd::WallTime time) {
  if (auto problem = loss_problem(removal_uid, fresh, pods, census, others, policy, time)) {
    return std::unexpected(*problem);
  }
  if (!fresh.removal.spec.host_cleanup.enabled) {
    return std::unexpected("spec.hostCleanup.enabled is false");
  }
  if (!fresh.node.is_ready()) return std::unexpected("the node is not Ready any more");
  if (auto problem = start_problem(fresh.removal, time)) return std::unexpected(*problem);
  return {};
}

std::expected<void, std::string> may_evict(const std::string& removal_uid, const FreshView& fresh) {
  if (auto problem = identity_problem(removal_uid, fresh)) return std::unexpected(*problem);
  if (!fresh.node.is_ready()) return std::unexpected("the node is not Ready any more");
  return {};
}

std::expected<void, std::string> may_act_on_dead_node(const std::string& removal_uid,
                                                      const FreshView& fresh,
                                                      const std::vector<NodeSummary>& census,
                                                      bool needs_fencing, const Policy& policy,
                                                      crd::WallTime time) {
  if (auto problem = identity_problem(removal_uid, fresh)) return std::unexpected(*problem);
  if (auto problem = death_problem(fresh, time)) return std::unexpected(*problem);
  if (needs_fencing && fenced_by(fresh.removal.spec, fresh.node).empty()) {
    return std::unexpected("nobody asserts any more that the machine is off");
  }
  if (auto problem = brake(census, policy)) return std::unexpected(*problem);
  return {};
}

}  // namespace reconcilers
