#include "crd/node_removal.hpp"

#include <algorithm>
#include <boost/json/array.hpp>

#include "crd/fixed_spec.hpp"
#include "crd/json.hpp"

namespace crd {
namespace {

namespace bj = boost::json;

ConditionStatus ready_from_string(std::string_view text) {
  if (text == "True") return ConditionStatus::True;
  return text == "False" ? ConditionStatus::False : ConditionStatus::Unknown;
}

/// Calls `body` with every object in the array member `key`.
template <typename Body>
void for_each_object(const bj::object& object, std::string_view key, Body body) {
  const auto* values = json::array_at(object, key);
  if (values == nullptr) return;
  for (const auto& value : *values) {
    if (const auto* element = value.if_object()) body(*element);
  }
}

PodCounts pods_from_json(const bj::object& object) {
  const auto count = [&](std::string_view key) { return json::int_at(object, key).value_or(0); };
  return {.total = count("total"),
          .evicted = count("evicted"),
          .terminating = count("terminating"),
          .blocked = count("blocked"),
          .remaining = count("remaining"),
          .skipped = count("skipped")};
}

NodeRemovalStatus status_from_json(const bj::object& object) {
  NodeRemovalStatus status;
  status.observed_generation = json::int_at(object, "observedGeneration").value_or(-1);
  status.node_name = json::string_at(object, "nodeName");
  status.node_uid = json::string_at(object, "nodeUID");
  status.spec_hash = json::string_at(object, "specHash");
  status.start_time = json::time_at(object, "startTime");
  status.completion_time = json::time_at(object, "completionTime");
  if (const auto* conditions = json::array_at(object, "conditions")) {
    status.conditions = Conditions::from_json(*conditions);
  }
  if (const auto* pods = json::object_at(object, "pods")) status.pods = pods_from_json(*pods);
  for_each_object(object, "blockers", [&](const bj::object& blocker) {
    status.blockers.push_back({.pod = json::string_at(blocker, "pod"),
                               .uid = json::string_at(blocker, "uid"),
                               .reason = json::string_at(blocker, "reason"),
                               .message = json::string_at(blocker, "message"),
                               .pdb = json::string_at(blocker, "pdb"),
                               .since = json::time_at(blocker, "since").value_or(TimePoint{})});
  });
  status.blockers_omitted = json::int_at(object, "blockersOmitted").value_or(0);
  for_each_object(object, "workloads", [&](const bj::object& workload) {
    status.workloads.push_back({.kind = json::string_at(workload, "kind"),
                                .ns = json::string_at(workload, "namespace"),
                                .name = json::string_at(workload, "name"),
                                .uid = json::string_at(workload, "uid"),
                                .desired = json::int_at(workload, "desired").value_or(0),
                                .ready = json::int_at(workload, "ready").value_or(0)});
  });
  status.workloads_omitted = json::int_at(object, "workloadsOmitted").value_or(0);
  for_each_object(object, "nodes", [&](const bj::object& node) {
    status.nodes.push_back({.name = json::string_at(node, "name"),
                            .uid = json::string_at(node, "uid"),
                            .reason = json::string_at(node, "reason")});
  });
  for_each_object(object, "plan", [&](const bj::object& pod) {
    status.plan.push_back({.pod = json::string_at(pod, "pod"),
                           .action = json::string_at(pod, "action"),
                           .reason = json::string_at(pod, "reason")});
  });
  status.plan_omitted = json::int_at(object, "planOmitted").value_or(0);
  if (const auto* evidence = json::object_at(object, "evidence")) {
    status.evidence =
        Evidence{.ready = ready_from_string(json::string_at(*evidence, "ready")),
                 .not_ready_since = json::time_at(*evidence, "notReadySince").value_or(TimePoint{}),
                 .observed_since = json::time_at(*evidence, "observedSince").value_or(TimePoint{}),
                 .reason = json::string_at(*evidence, "reason"),
                 .message = json::string_at(*evidence, "message"),
                 .fenced = json::bool_at(*evidence, "fenced"),
                 .fenced_by = json::string_at(*evidence, "fencedBy")};
  }
  return status;
}

bj::object to_json(const PodCounts& pods) {
  return {{"total", pods.total},
          {"evicted", pods.evicted},
          {"terminating", pods.terminating},
          {"blocked", pods.blocked},
          {"remaining", pods.remaining},
          {"skipped", pods.skipped},
          {"summary", std::to_string(pods.evicted) + "/" + std::to_string(pods.total)}};
}

bj::object to_json(const Blocker& blocker) {
  bj::object result{{"pod", blocker.pod},
                    {"uid", blocker.uid},
                    {"reason", blocker.reason},
                    {"message", shortened(blocker.message)},
                    {"since", to_rfc3339(blocker.since)}};
  if (!blocker.pdb.empty()) result["pdb"] = blocker.pdb;
  return result;
}

bj::object to_json(const WorkloadStatus& workload) {
  return {{"kind", workload.kind}, {"namespace", workload.ns},    {"name", workload.name},
          {"uid", workload.uid},   {"desired", workload.desired}, {"ready", workload.ready}};
}

bj::object to_json(const SelectedNode& node) {
  bj::object result{{"name", node.name}, {"uid", node.uid}};
  if (!node.reason.empty()) result["reason"] = node.reason;
  return result;
}

bj::object to_json(const PlannedPod& pod) {
  bj::object result{{"pod", pod.pod}, {"action", pod.action}};
  if (!pod.reason.empty()) result["reason"] = shortened(pod.reason);
  return result;
}

bj::object to_json(const Evidence& evidence) {
  bj::object result{{"ready", to_string(evidence.ready)},
                    {"notReadySince", to_rfc3339(evidence.not_ready_since)},
                    {"observedSince", to_rfc3339(evidence.observed_since)},
                    {"fenced", evidence.fenced}};
  // No empty strings: API servers of 1.20 built with a later Go refuse them in custom resources.
  if (!evidence.reason.empty()) result["reason"] = shortened(evidence.reason);
  if (!evidence.message.empty()) result["message"] = shortened(evidence.message);
  if (!evidence.fenced_by.empty()) result["fencedBy"] = evidence.fenced_by;
  return result;
}

/// RFC 7386: the patch that makes `after` of `before`.
bj::object merge_patch(const bj::object& before, const bj::object& after) {
  bj::object patch;
  for (const auto& [key, value] : after) {
    const auto* old_value = before.if_contains(key);
    if (old_value != nullptr && *old_value == value) continue;
    const bool nested = old_value != nullptr && old_value->is_object() && value.is_object();
    if (nested) {
      patch[key] = merge_patch(old_value->get_object(), value.get_object());
    } else {
      patch[key] = value;
    }
  }
  for (const auto& [key, value] : before) {
    if (!after.contains(key)) patch[key] = nullptr;
  }
  return patch;
}

template <typename T>
bj::array to_array(const std::vector<T>& values) {
  bj::array result;
  for (const auto& value : values) result.push_back(to_json(value));
  return result;
}

}  // namespace

bj::object owner_reference(const ObjectMeta& removal) {
  return {{"apiVersion", kApiVersion},
          {"kind", kKind},
          {"name", removal.name},
          {"uid", removal.uid},
          {"controller", true}};
}

std::string shortened(const std::string& text) {
  if (text.size() <= kMaxText) return text;
  std::size_t end = kMaxText - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U)
    --end;  // not inside a UTF-8 character
  return text.substr(0, end) + "...";
}

bool NodeRemovalStatus::is_terminal() const {
  const auto* succeeded = conditions.find(condition::kSucceeded);
  return completion_time || (succeeded != nullptr && succeeded->status != ConditionStatus::Unknown);
}

std::int64_t MaxConcurrent::of(std::int64_t nodes) const {
  return std::max<std::int64_t>(percent ? nodes * value / 100 : value, 1);
}

bool NodeRemoval::is_group() const {
  return !status.nodes.empty() || (status.node_name.empty() && spec.node_selector.has_value());
}

bool NodeRemoval::is_managed() const {
  const auto has = [](const auto& marks, std::string_view key) {
    return marks.contains(std::string{key});
  };
  const auto manager = meta.labels.find("app.kubernetes.io/managed-by");
  return has(meta.annotations, "argocd.argoproj.io/tracking-id") ||
         has(meta.labels, "argocd.argoproj.io/instance") ||
         has(meta.labels, "kustomize.toolkit.fluxcd.io/name") ||
         has(meta.labels, "helm.toolkit.fluxcd.io/name") ||
         (manager != meta.labels.end() && manager->second == "Helm");
}

std::optional<TimePoint> NodeRemoval::expires_at() const {
  const auto& ttl = spec.ttl_seconds_after_finished;
  if (!ttl || !status.is_terminal() || !status.completion_time) return std::nullopt;
  if (ignores_ttl()) return std::nullopt;
  return *status.completion_time + std::chrono::seconds{*ttl};
}

bool NodeRemoval::ignores_ttl() const {
  return spec.ttl_seconds_after_finished && is_managed() && spec.node_uid.empty();
}

bool NodeRemoval::has_finalizer() const {
  return std::ranges::find(meta.finalizers, kFinalizer) != meta.finalizers.end();
}

NodeRemoval node_removal_from_json(const bj::object& object) {
  NodeRemoval removal;
  removal.meta = object_meta_from_json(object);
  if (const auto* spec = json::object_at(object, "spec"))
    removal.spec = node_removal_spec_from_json(*spec);
  if (const auto* status = json::object_at(object, "status")) {
    removal.status = status_from_json(*status);
  }
  const auto& status = removal.status;
  removal.spec_changed =
      !status.spec_hash.empty() && status.spec_hash != fixed_spec_hash(removal.spec);
  if (!status.node_name.empty()) removal.spec.node_name = status.node_name;
  return removal;
}

bj::object to_json(const NodeRemovalStatus& status) {
  bj::object result{{"observedGeneration", status.observed_generation}};
  if (!status.node_name.empty()) result["nodeName"] = status.node_name;
  if (!status.node_uid.empty()) result["nodeUID"] = status.node_uid;
  if (!status.spec_hash.empty()) result["specHash"] = status.spec_hash;
  if (status.start_time) result["startTime"] = to_rfc3339(*status.start_time);
  if (status.completion_time) result["completionTime"] = to_rfc3339(*status.completion_time);
  result["conditions"] = status.conditions.to_json();
  if (status.pods) result["pods"] = to_json(*status.pods);
  if (!status.blockers.empty()) result["blockers"] = to_array(status.blockers);
  if (status.blockers_omitted > 0) result["blockersOmitted"] = status.blockers_omitted;
  if (!status.workloads.empty()) result["workloads"] = to_array(status.workloads);
  if (status.workloads_omitted > 0) result["workloadsOmitted"] = status.workloads_omitted;
  if (!status.plan.empty()) result["plan"] = to_array(status.plan);
  if (status.plan_omitted > 0) result["planOmitted"] = status.plan_omitted;
  if (status.evidence) result["evidence"] = to_json(*status.evidence);
  if (!status.nodes.empty()) result["nodes"] = to_array(status.nodes);
  return result;
}

bj::object status_merge_patch(const NodeRemovalStatus& before, const NodeRemovalStatus& after) {
  return merge_patch(to_json(before), to_json(after));
}

}  // namespace crd
