#include "crd/core_types.hpp"

#include <algorithm>
#include <charconv>

#include "crd/json.hpp"

namespace crd {
namespace {

std::uint64_t version_number(const std::string& text) {
  std::uint64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  return result.ec == std::errc{} && result.ptr == text.data() + text.size() ? value : 0;
}

std::vector<OwnerReference> owners_from_json(const boost::json::object& meta) {
  std::vector<OwnerReference> result;
  const auto* owners = json::array_at(meta, "ownerReferences");
  if (owners == nullptr) return result;
  for (const auto& value : *owners) {
    const auto* owner = value.if_object();
    if (owner == nullptr) continue;
    result.push_back({.kind = json::string_at(*owner, "kind"),
                      .name = json::string_at(*owner, "name"),
                      .uid = json::string_at(*owner, "uid"),
                      .api_version = json::string_at(*owner, "apiVersion"),
                      .controller = json::bool_at(*owner, "controller")});
  }
  return result;
}

/// The member `key` as an object; an empty one when it is absent, so that reads can be chained.
const boost::json::object& child(const boost::json::object& object, std::string_view key) {
  static const boost::json::object kEmpty;
  const auto* found = json::object_at(object, key);
  return found == nullptr ? kEmpty : *found;
}

const boost::json::object* find_condition(const boost::json::object& status,
                                          std::string_view type) {
  const auto* conditions = json::array_at(status, "conditions");
  if (conditions == nullptr) return nullptr;
  for (const auto& value : *conditions) {
    const auto* condition = value.if_object();
    if (condition != nullptr && json::string_at(*condition, "type") == type) return condition;
  }
  return nullptr;
}

std::vector<Toleration> tolerations_from_json(const boost::json::object& spec) {
  std::vector<Toleration> result;
  const auto* tolerations = json::array_at(spec, "tolerations");
  if (tolerations == nullptr) return result;
  for (const auto& value : *tolerations) {
    const auto* toleration = value.if_object();
    if (toleration == nullptr) continue;
    result.push_back({.key = json::string_at(*toleration, "key"),
                      .any_value = json::string_at(*toleration, "operator") == "Exists",
                      .value = json::string_at(*toleration, "value"),
                      .effect = json::string_at(*toleration, "effect")});
  }
  return result;
}

/// The PersistentVolumeClaim of a volume, or an empty text. That of a generic ephemeral volume is
/// made by Kubernetes and has a fixed name.
std::string claim_of(const std::string& pod, const boost::json::object& volume) {
  if (json::object_at(volume, "ephemeral") != nullptr) {
    return pod + "-" + json::string_at(volume, "name");
  }
  return json::string_at(child(volume, "persistentVolumeClaim"), "claimName");
}

}  // namespace

const OwnerReference* ObjectMeta::controller() const {
  const auto found = std::ranges::find_if(owner_references, &OwnerReference::controller);
  return found == owner_references.end() ? nullptr : &*found;
}

bool is_newer(const ObjectMeta& a, const ObjectMeta& b) {
  return version_number(a.resource_version) > version_number(b.resource_version);
}

bool Node::is_control_plane() const {
  return meta.labels.contains("node-role.kubernetes.io/control-plane") ||
         meta.labels.contains("node-role.kubernetes.io/master");
}

bool Toleration::tolerates(const Taint& taint) const {
  if (!effect.empty() && effect != taint.effect) return false;
  if (key.empty()) return any_value;
  return key == taint.key && (any_value || value == taint.value);
}

bool Pod::tolerates(const Taint& taint) const {
  return std::ranges::any_of(
      tolerations, [&](const Toleration& toleration) { return toleration.tolerates(taint); });
}

bool Pod::is_mirror() const { return meta.annotations.contains("kubernetes.io/config.mirror"); }

ObjectMeta object_meta_from_json(const boost::json::object& object) {
  const auto& meta = child(object, "metadata");
  return {.name = json::string_at(meta, "name"),
          .ns = json::string_at(meta, "namespace"),
          .uid = json::string_at(meta, "uid"),
          .resource_version = json::string_at(meta, "resourceVersion"),
          .generation = json::int_at(meta, "generation").value_or(0),
          .creation_timestamp = json::time_at(meta, "creationTimestamp"),
          .deletion_timestamp = json::time_at(meta, "deletionTimestamp"),
          .deletion_grace_period_seconds = json::int_at(meta, "deletionGracePeriodSeconds"),
          .finalizers = json::strings_at(meta, "finalizers"),
          .labels = json::string_map_at(meta, "labels"),
          .annotations = json::string_map_at(meta, "annotations"),
          .owner_references = owners_from_json(meta)};
}

Node node_from_json(const boost::json::object& object) {
  Node node;
  node.meta = object_meta_from_json(object);
  const auto& spec = child(object, "spec");
  node.unschedulable = json::bool_at(spec, "unschedulable");
  if (const auto* taints = json::array_at(spec, "taints")) {
    node.taints_json = *taints;
    for (const auto& value : *taints) {
      const auto* taint = value.if_object();
      if (taint == nullptr) continue;
      node.taints.push_back({.key = json::string_at(*taint, "key"),
                             .value = json::string_at(*taint, "value"),
                             .effect = json::string_at(*taint, "effect")});
    }
  }
  if (const auto* ready = find_condition(child(object, "status"), "Ready")) {
    const auto status = json::string_at(*ready, "status");
    if (status == "True") node.ready = ConditionStatus::True;
    if (status == "False") node.ready = ConditionStatus::False;
    node.ready_transition_time = json::time_at(*ready, "lastTransitionTime");
    node.ready_reason = json::string_at(*ready, "reason");
    node.ready_message = json::string_at(*ready, "message");
  }
  return node;
}

Pod pod_from_json(const boost::json::object& object) {
  Pod pod;
  pod.meta = object_meta_from_json(object);
  const auto& spec = child(object, "spec");
  pod.node_name = json::string_at(spec, "nodeName");
  pod.priority_class = json::string_at(spec, "priorityClassName");
  pod.grace_period_seconds = json::int_at(spec, "terminationGracePeriodSeconds").value_or(30);
  pod.tolerations = tolerations_from_json(spec);
  const auto& status = child(object, "status");
  pod.phase = json::string_at(status, "phase");
  const auto* ready = find_condition(status, "Ready");
  pod.ready = ready != nullptr && json::string_at(*ready, "status") == "True";
  if (const auto* volumes = json::array_at(spec, "volumes")) {
    for (const auto& value : *volumes) {
      const auto* volume = value.if_object();
      if (volume == nullptr) continue;
      pod.empty_dir |= json::object_at(*volume, "emptyDir") != nullptr;
      if (auto claim = claim_of(pod.meta.name, *volume); !claim.empty()) {
        pod.claims.push_back(std::move(claim));
      }
    }
  }
  return pod;
}

Workload workload_from_json(const boost::json::object& object) {
  const auto& spec = child(object, "spec");
  Workload workload{.meta = object_meta_from_json(object),
                    .desired = json::int_at(spec, "replicas").value_or(1),
                    .ready = json::int_at(child(object, "status"), "readyReplicas").value_or(0),
                    .selector = {}};
  const auto& selector = child(spec, "selector");
  const bool is_label_selector =
      selector.contains("matchLabels") || selector.contains("matchExpressions");
  // A ReplicationController has a plain map of labels instead of a LabelSelector.
  workload.selector = label_selector_from_json(
      is_label_selector ? selector : boost::json::object{{"matchLabels", selector}});
  return workload;
}

bool DisruptionBudget::never_allows() const {
  return is_current() && disruptions_allowed <= 0 && expected_pods > 0 &&
         current_healthy >= expected_pods && !has_disrupted_pods;
}

DisruptionBudget disruption_budget_from_json(const boost::json::object& object) {
  const auto& status = child(object, "status");
  const auto count = [&](std::string_view key) { return json::int_at(status, key).value_or(0); };
  return {.meta = object_meta_from_json(object),
          .observed_generation = count("observedGeneration"),
          .expected_pods = count("expectedPods"),
          .current_healthy = count("currentHealthy"),
          .desired_healthy = count("desiredHealthy"),
          .disruptions_allowed = count("disruptionsAllowed"),
          .has_disrupted_pods = !child(status, "disruptedPods").empty()};
}

bool is_exclusive_claim(const boost::json::object& claim) {
  const auto modes = json::strings_at(child(claim, "spec"), "accessModes");
  const auto shared = [](const std::string& mode) {
    return mode == "ReadWriteMany" || mode == "ReadOnlyMany";
  };
  return modes.empty() || !std::ranges::all_of(modes, shared);
}

VolumeAttachment volume_attachment_from_json(const boost::json::object& object) {
  const auto& spec = child(object, "spec");
  return {.meta = object_meta_from_json(object),
          .node_name = json::string_at(spec, "nodeName"),
          .volume = json::string_at(child(spec, "source"), "persistentVolumeName")};
}

}  // namespace crd
