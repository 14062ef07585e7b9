#include "test/model/objects.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "crd/json.hpp"

namespace model {
namespace {

namespace bj = boost::json;
using std::chrono::seconds;

constexpr seconds kTick{kTickSeconds};

crd::TimePoint saturated(crd::TimePoint time) { return std::max(time, time_of(kMaxAge)); }

/// Conditions can only be set, with the time at which they changed.
crd::Conditions without_texts(const crd::Conditions& conditions, seconds older) {
  crd::Conditions result;
  for (const auto& one : conditions.all()) {
    result.set(one.type, one.status, one.reason, "", saturated(one.last_transition_time - older),
               one.observed_generation);
  }
  return result;
}

void normalise(crd::NodeRemovalStatus& status, seconds older) {
  const auto past = time_of(kMaxAge);
  status.conditions = without_texts(status.conditions, older);
  if (status.start_time) status.start_time = past;
  if (status.completion_time) status.completion_time = past;
  for (auto& blocker : status.blockers) {
    blocker.message.clear();
    blocker.since = past;
  }
  for (auto& planned : status.plan) planned.reason.clear();
  if (auto& evidence = status.evidence) {
    evidence->message.clear();
    evidence->not_ready_since = saturated(evidence->not_ready_since - older);
    evidence->observed_since = saturated(evidence->observed_since - older);
  }
}

bj::object taint_json(std::string_view key, std::string_view value, std::string_view effect) {
  return {{"key", key}, {"value", value}, {"effect", effect}};
}

std::string claim_json(Claim claim) {
  if (claim == Claim::Unreadable) return "what is this";
  return bj::serialize(bj::object{{"removal", "gone"},
                                  {"uid", kRemovalUid},
                                  {"wasUnschedulable", claim == Claim::OursOnCordoned}});
}

std::string report_text(std::string_view uid, std::string_view phase) {
  const crd::StepReport step{"Kubelet", std::string{crd::step_result::kDone}, "stopped"};
  return bj::serialize(
      crd::to_json(crd::HostReport{std::string{uid}, std::string{phase}, {}, {}, {step}}));
}

constexpr std::string_view kEarlierRemovalUid = "removal-0";

void write_cleaning(const NodeState& node, bj::object& annotations) {
  namespace phase = crd::cleanup_phase;
  if (node.start != Start::None) {
    annotations[crd::kHostCleanupStartAnnotation] =
        node.start == Start::Ours ? kRemovalUid : kEarlierRemovalUid;
  }
  if (node.report == Report::None) return;
  const bool ours = node.report != Report::OthersSucceeded;
  annotations[crd::kHostCleanupReportAnnotation] =
      report_text(ours ? kRemovalUid : kEarlierRemovalUid,
                  node.report == Report::Failed ? phase::kFailed : phase::kSucceeded);
}

void patch_annotations(NodeState& node, const bj::object& annotations) {
  if (annotations.contains(crd::kHostCleanupStartAnnotation)) {
    const auto uid = crd::json::string_at(annotations, crd::kHostCleanupStartAnnotation);
    node.start = uid == kRemovalUid ? Start::Ours : Start::Others;
  }
  const auto* claim = annotations.if_contains(crd::kClaimAnnotation);
  if (claim == nullptr) return;
  if (claim->is_null()) {
    node.claim = Claim::None;
    return;
  }
  const auto value = bj::parse(claim->as_string()).as_object();
  const bool was = crd::json::bool_at(value, "wasUnschedulable");
  node.claim = was ? Claim::OursOnCordoned : Claim::Ours;
}

bj::object owner_json(std::string_view kind, std::string_view name) {
  return {{"apiVersion", "apps/v1"},
          {"kind", kind},
          {"name", name},
          {"uid", "owner-" + std::string{name}},
          {"controller", true}};
}

}  // namespace

crd::TimePoint time_of(int age_in_ticks) { return kNow - age_in_ticks * kTick; }
std::string node_uid(Byte generation) { return "node-" + std::to_string(generation); }
std::string pod_name(std::size_t pod) { return "pod-" + std::to_string(pod); }
std::string pod_uid(std::size_t pod) { return "uid-" + std::to_string(pod); }

std::optional<crd::HandOverPod> hand_over_pod_of(HandOver state) {
  if (state == HandOver::None) return std::nullopt;
  crd::HandOverPod pod{.uid = std::string{kHandOverUid},
                       .phase = "Pending",
                       .terminating = false,
                       .waiting = {},
                       .ended = {}};
  if (state == HandOver::HandedOver) {
    pod.phase = "Succeeded";
    pod.ended = report_text(kRemovalUid, crd::cleanup_phase::kHandedOver);
  } else if (state == HandOver::Refused) {
    pod.phase = "Failed";
    pod.ended = report_text(kRemovalUid, crd::cleanup_phase::kFailed);
  }
  return pod;
}

Statuses::Statuses() { id_of({}); }

std::uint16_t Statuses::id_of(crd::NodeRemovalStatus status) {
  normalise(status, seconds{0});
  auto json = crd::to_json(status);
  const auto next = static_cast<std::uint16_t>(statuses_.size());
  const auto [entry, is_new] = ids_.try_emplace(bj::serialize(json), next);
  if (is_new) {
    statuses_.push_back(std::move(status));
    jsons_.push_back(std::move(json));
  }
  return entry->second;
}

std::uint16_t Statuses::a_tick_later(std::uint16_t id) {
  const auto found = later_.find(id);
  if (found != later_.end()) return found->second;
  auto status = statuses_.at(id);
  normalise(status, kTick);
  const auto result = id_of(std::move(status));
  later_[id] = result;
  return result;
}

bj::object node_json(const NodeState& node) {
  bj::object metadata{{"name", kNodeName},
                      {"uid", node_uid(node.generation)},
                      {"resourceVersion", std::to_string(node.version)}};
  bj::object annotations;
  if (node.claim != Claim::None) annotations[crd::kClaimAnnotation] = claim_json(node.claim);
  if (node.is_protected) annotations[crd::kProtectAnnotation] = "";
  write_cleaning(node, annotations);
  metadata["annotations"] = std::move(annotations);
  bj::array taints;
  if (node.removing) taints.push_back(taint_json(crd::kRemovingTaint, "", "NoSchedule"));
  if (node.out_of_service) {
    taints.push_back(taint_json(crd::kOutOfServiceTaint, "noderemoval", "NoExecute"));
  }
  bj::object ready{{"type", "Ready"},
                   {"status", node.ready ? "True" : "Unknown"},
                   {"reason", node.ready ? "KubeletReady" : "NodeStatusUnknown"},
                   {"lastTransitionTime", crd::to_rfc3339(time_of(node.ready_age))}};
  return {
      {"metadata", std::move(metadata)},
      {"spec", bj::object{{"unschedulable", node.unschedulable}, {"taints", std::move(taints)}}},
      {"status", bj::object{{"conditions", bj::array{std::move(ready)}}}}};
}

bj::object removal_json(const RemovalState& removal, const bj::object& spec,
                        const Statuses& statuses) {
  bj::object metadata{{"name", "gone"},
                      {"uid", kRemovalUid},
                      {"generation", 1},
                      {"resourceVersion", std::to_string(removal.version)}};
  bj::array finalizers{"somebody.else/finalizer"};
  if (removal.finalizer) finalizers.emplace_back(crd::kFinalizer);
  metadata["finalizers"] = std::move(finalizers);
  if (removal.deleting) metadata["deletionTimestamp"] = crd::to_rfc3339(kNow);
  auto full_spec = spec;
  full_spec["suspend"] = removal.suspend;
  auto& unreachable = full_spec["unreachable"].as_object();
  unreachable["fenced"] = removal.fenced;
  return {{"metadata", std::move(metadata)},
          {"spec", std::move(full_spec)},
          {"status", statuses.json_at(removal.status)}};
}

bj::object pod_json(std::size_t pod, PodKind kind, const PodState& state) {
  bj::object metadata{{"name", pod_name(pod)},
                      {"namespace", "shop"},
                      {"uid", pod_uid(pod)},
                      {"resourceVersion", "1"}};
  if (kind == PodKind::Replicated) {
    metadata["ownerReferences"] = bj::array{owner_json("ReplicaSet", "web-" + std::to_string(pod))};
  } else if (kind == PodKind::Stateful) {
    metadata["ownerReferences"] = bj::array{owner_json("StatefulSet", "db-" + std::to_string(pod))};
  } else if (kind == PodKind::Daemon) {
    metadata["ownerReferences"] = bj::array{owner_json("DaemonSet", "log")};
  }
  if (state.phase == PodPhase::Terminating) {
    metadata["deletionTimestamp"] = crd::to_rfc3339(time_of(state.age - 1));
    metadata["deletionGracePeriodSeconds"] = kTickSeconds;
  }
  bj::object ready{{"type", "Ready"}, {"status", "True"}};
  return {
      {"metadata", std::move(metadata)},
      {"spec",
       bj::object{{"nodeName", kNodeName}, {"terminationGracePeriodSeconds", kTickSeconds}}},
      {"status", bj::object{{"phase", "Running"}, {"conditions", bj::array{std::move(ready)}}}}};
}

void apply_patch(NodeState& node, const bj::object& patch) {
  if (const auto* annotations =
          crd::json::object_at(patch.at("metadata").as_object(), "annotations")) {
    patch_annotations(node, *annotations);
  }
  const auto* spec_patch = crd::json::object_at(patch, "spec");
  if (spec_patch == nullptr) return;
  const auto& spec = *spec_patch;
  if (const auto* unschedulable = spec.if_contains("unschedulable")) {
    node.unschedulable = unschedulable->is_bool() && unschedulable->as_bool();
  }
  node.removing = node.out_of_service = false;
  for (const auto& taint : spec.at("taints").as_array()) {
    const auto key = crd::json::string_at(taint.as_object(), "key");
    if (key == crd::kRemovingTaint) node.removing = true;
    if (key == crd::kOutOfServiceTaint) node.out_of_service = true;
  }
}

}  // namespace model
