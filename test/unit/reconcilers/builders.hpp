#pragma once

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <chrono>
#include <ostream>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "crd/core_types.hpp"
#include "crd/node_removal.hpp"
#include "reconcilers/decide.hpp"
#include "reconcilers/decision.hpp"
#include "reconcilers/observation.hpp"

/// Objects as tests need them, and words for what a decision says. The cluster: node "jetson" with
/// UID "node-1", two other nodes, and the NodeRemoval "gone" with UID "removal-1".
namespace reconcilers {

using namespace std::chrono_literals;
namespace condition = crd::condition;

inline constexpr crd::TimePoint kNow{1'700'000'000s};  // 2023-11-14T22:13:20Z
inline constexpr std::string_view kNodeUid = "node-1";
inline constexpr std::string_view kRemovalUid = "removal-1";

// --- nodes

inline crd::Node make_node() {
  crd::Node node;
  node.meta.name = "jetson";
  node.meta.uid = kNodeUid;
  node.meta.resource_version = "100";
  node.ready = crd::ConditionStatus::True;
  node.ready_transition_time = kNow - 24h;
  node.ready_reason = "KubeletReady";
  return node;
}

inline boost::json::object taint_json(std::string_view key,
                                      std::string_view effect = "NoSchedule") {
  return {{"key", key}, {"effect", effect}};
}

inline void add_taint(crd::Node& node, std::string_view key) {
  node.taints.push_back({.key = std::string{key}, .value = {}, .effect = "NoSchedule"});
  node.taints_json.push_back(taint_json(key));
}

inline bool has_taint(const crd::Node& node, std::string_view key) {
  return std::ranges::find(node.taints, key, &crd::Taint::key) != node.taints.end();
}

inline void claim(crd::Node& node, std::string_view removal_uid, bool was_unschedulable = false) {
  const boost::json::object text{
      {"removal", "gone"}, {"uid", removal_uid}, {"wasUnschedulable", was_unschedulable}};
  node.meta.annotations[std::string{crd::kClaimAnnotation}] = boost::json::serialize(text);
}

/// The node as our cordon leaves it.
inline void cordon(crd::Node& node, bool was_unschedulable = false) {
  claim(node, kRemovalUid, was_unschedulable);
  node.unschedulable = true;
  add_taint(node, crd::kRemovingTaint);
}

inline void stop_kubelet(crd::Node& node, crd::TimePoint since) {
  node.ready = crd::ConditionStatus::Unknown;
  node.ready_transition_time = since;
  node.ready_reason = "NodeStatusUnknown";
  node.ready_message = "Kubelet stopped posting node status.";
}

inline NodeSummary make_summary(std::string name, std::string uid) {
  return {.name = std::move(name), .uid = std::move(uid), .ready = true};
}

inline std::vector<NodeSummary> make_census() {
  return {make_summary("jetson", std::string{kNodeUid}), make_summary("nano", "node-2"),
          make_summary("xavier", "node-3")};
}

// --- pods

inline crd::Pod make_naked_pod(const std::string& name) {
  crd::Pod pod;
  pod.meta.name = name;
  pod.meta.ns = "shop";
  pod.meta.uid = "pod-" + name;
  pod.node_name = "jetson";
  pod.phase = "Running";
  pod.ready = true;
  return pod;
}

inline crd::Pod make_pod(const std::string& name, const std::string& kind = "ReplicaSet",
                         const std::string& owner = "web") {
  auto pod = make_naked_pod(name);
  pod.meta.owner_references.push_back({.kind = kind,
                                       .name = owner,
                                       .uid = "owner-" + owner,
                                       .api_version = "apps/v1",
                                       .controller = true});
  return pod;
}

inline crd::Pod make_mirror_pod(const std::string& name) {
  auto pod = make_naked_pod(name);
  pod.meta.annotations["kubernetes.io/config.mirror"] = "0f1";
  return pod;
}

/// Terminating, with `deadline` as its deletionTimestamp.
inline crd::Pod terminating(crd::Pod pod, crd::TimePoint deadline = kNow + 30s) {
  pod.meta.deletion_timestamp = deadline;
  pod.meta.deletion_grace_period_seconds = 30;
  return pod;
}

// --- removals

inline crd::NodeRemoval make_removal() {
  crd::NodeRemoval removal;
  removal.meta.name = "gone";
  removal.meta.uid = kRemovalUid;
  removal.meta.resource_version = "1";
  removal.meta.generation = 1;
  removal.meta.creation_timestamp = kNow - 1h;
  removal.spec.node_name = "jetson";
  return removal;
}

inline void set_condition(crd::NodeRemoval& removal, std::string_view type,
                          crd::ConditionStatus status, std::string_view reason,
                          crd::TimePoint since) {
  removal.status.conditions.set(type, status, reason, "as before", since, removal.meta.generation);
}

/// Accepted a minute before kNow, and cordoned.
inline crd::NodeRemoval make_active_removal() {
  auto removal = make_removal();
  removal.meta.finalizers.emplace_back(crd::kFinalizer);
  removal.status.observed_generation = 1;
  removal.status.node_uid = kNodeUid;
  removal.status.start_time = kNow - 60s;
  set_condition(removal, condition::kAccepted, crd::ConditionStatus::True, "Accepted", kNow - 60s);
  set_condition(removal, condition::kCordoned, crd::ConditionStatus::True, "Cordoned", kNow - 60s);
  return removal;
}

// --- observations: everything is known, and nothing is wrong

/// A removal that nobody has looked at yet.
inline Observation first_sight() {
  Observation seen;
  seen.removal = make_removal();
  seen.node = std::optional{make_node()};
  seen.node_is_fresh = true;
  seen.pods = std::vector<crd::Pod>{};
  seen.census = make_census();
  seen.workloads = std::map<std::string, WorkloadProgress>{};
  seen.attachments = std::vector<std::string>{};
  seen.leftovers = Leftovers{};
  seen.claims = std::map<std::string, bool>{};
  seen.trials = std::map<std::string, Refusal>{};
  seen.server_minor = 20;
  seen.hand_over_pod = std::optional<crd::HandOverPod>{};
  seen.removed_nodes = std::map<std::string, RemovedNode>{
      {"jetson", {.uid = std::string{kNodeUid}, .removal = "gone", .time = {}}}};
  seen.matches = std::vector<NodeMatch>{};
  return seen;
}

/// A removal whose node is claimed and cordoned, with these pods on it.
inline Observation cordoned_with(std::vector<crd::Pod> pods) {
  auto seen = first_sight();
  seen.removal = make_active_removal();
  cordon(**seen.node.value());
  seen.pods = std::move(pods);
  return seen;
}

inline crd::Node& node_of(Observation& seen) { return seen.node->value().value(); }
inline std::vector<crd::Pod>& pods_of(Observation& seen) { return seen.pods->value(); }

/// The same, and the kubelet has been silent for `silence`; we have watched it all that time.
inline Observation dead_with(std::vector<crd::Pod> pods, std::chrono::seconds silence = 400s) {
  auto seen = cordoned_with(std::move(pods));
  stop_kubelet(node_of(seen), kNow - silence);
  seen.removal.status.evidence = crd::Evidence{.ready = crd::ConditionStatus::Unknown,
                                               .not_ready_since = kNow - silence,
                                               .observed_since = kNow - silence,
                                               .reason = "NodeStatusUnknown",
                                               .message = "Kubelet stopped posting node status.",
                                               .fenced = false,
                                               .fenced_by = {}};
  set_condition(seen.removal, condition::kDrained, crd::ConditionStatus::False, "NodeNotReady",
                kNow - silence);
  for (auto& node : seen.census->value()) node.ready = node.uid != kNodeUid;
  return seen;
}

inline Decision decide_at(const Observation& seen, crd::WallTime now = kNow) {
  return decide(seen, Policy{}, now);
}

// --- words

inline std::string describe(const crd::PodRef& pod) {
  return pod.ns + "/" + pod.name + " (" + pod.uid + ")";
}

inline std::string describe(const AddFinalizer&) { return "AddFinalizer"; }
inline std::string describe(const RemoveFinalizer&) { return "RemoveFinalizer"; }
inline std::string describe(const Cordon& cordon) {
  return "Cordon " + cordon.node + " (" + cordon.uid + ")" +
         (cordon.was_unschedulable ? ", was cordoned before" : "");
}
inline std::string describe(const Release& release) {
  return "Release " + release.node + " (" + release.uid + ")" +
         (release.uncordon ? " and uncordon" : "");
}
inline std::string describe(const SetTaints& action) {
  std::string keys;
  for (const auto& taint : action.taints) {
    keys += " " + std::string{taint.as_object().at("key").as_string()};
  }
  return "SetTaints " + action.node + " (" + action.uid + "):" + keys;
}
inline std::string describe(const Evict& evict) {
  return "Evict " + describe(evict.pod) +
         (evict.grace_period_seconds ? " with grace " + std::to_string(*evict.grace_period_seconds)
                                     : "") +
         (evict.past_budgets ? " past budgets" : "");
}
inline std::string describe(const DeletePod& deletion) {
  return "DeletePod " + describe(deletion.pod);
}
inline std::string describe(const ClearPod& clear) { return "ClearPod " + describe(clear.pod); }
inline std::string describe(const CreateHandOverPod& create) {
  return "CreateHandOverPod " + create.ns + "/" +
         std::string{create.pod.at("metadata").at("name").as_string()};
}
inline std::string describe(const StartHostCleanup&) { return "StartHostCleanup"; }
inline std::string describe(const DeleteHandOverPod& deletion) {
  return "DeleteHandOverPod " + describe(deletion.pod);
}
inline std::string describe(const RecordRemoval& record) {
  return "RecordRemoval " + record.node + " (" + record.uid + ")";
}
inline std::string describe(const DeleteNode&) { return "DeleteNode"; }
inline std::string describe(const CreateChild& child) {
  return "CreateChild " + child.name + " of " + child.node + " (" + child.node_uid + ")";
}
inline std::string describe(const SteerChild& child) {
  return "SteerChild " + child.name + (child.suspend ? " suspend" : "") +
         (child.fenced ? " fenced" : "");
}
inline std::string describe(const DeleteRemoval&) { return "DeleteRemoval"; }
inline std::string describe(const Action& action) {
  return std::visit([](const auto& one) { return describe(one); }, action);
}

inline std::vector<std::string> actions_of(const Decision& decision) {
  std::vector<std::string> texts;
  for (const auto& action : decision.actions) texts.push_back(describe(action));
  return texts;
}

inline std::string_view name_of(FactName fact) {
  switch (fact) {
    case FactName::Node:
      return "Node";
    case FactName::FreshNode:
      return "FreshNode";
    case FactName::Pods:
      return "Pods";
    case FactName::Census:
      return "Census";
    case FactName::Workloads:
      return "Workloads";
    case FactName::Attachments:
      return "Attachments";
    case FactName::Leftovers:
      return "Leftovers";
    case FactName::Claims:
      return "Claims";
    case FactName::Trials:
      return "Trials";
    case FactName::ServerMinor:
      return "ServerMinor";
    case FactName::HandOverPod:
      return "HandOverPod";
    case FactName::RemovedNodes:
      return "RemovedNodes";
    case FactName::Matches:
      break;
  }
  return "Matches";
}

/// "True/Drained", or "none".
inline std::string word(const crd::NodeRemovalStatus& status, std::string_view type) {
  const auto* found = status.conditions.find(type);
  return found == nullptr ? "none" : std::string{to_string(found->status)} + "/" + found->reason;
}
inline std::string word(const Decision& decision, std::string_view type) {
  return word(decision.status, type);
}
inline std::string summary(const Decision& decision) {
  return word(decision, condition::kSucceeded);
}
inline std::string message_of(const crd::NodeRemovalStatus& status, std::string_view type) {
  const auto* found = status.conditions.find(type);
  return found == nullptr ? "none" : found->message;
}
inline std::string message_of(const Decision& decision,
                              std::string_view type = condition::kSucceeded) {
  return message_of(decision.status, type);
}

inline void PrintTo(const AddFinalizer& action, std::ostream* out) { *out << describe(action); }
inline void PrintTo(const RemoveFinalizer& action, std::ostream* out) { *out << describe(action); }
inline void PrintTo(const Cordon& action, std::ostream* out) {
  *out << describe(action) << " at version " << action.resource_version << " with taints "
       << boost::json::serialize(action.taints);
}
inline void PrintTo(const Release& action, std::ostream* out) {
  *out << describe(action) << " at version " << action.resource_version << " with taints "
       << boost::json::serialize(action.taints);
}
inline void PrintTo(const SetTaints& action, std::ostream* out) { *out << describe(action); }
inline void PrintTo(const Evict& action, std::ostream* out) { *out << describe(action); }
inline void PrintTo(const DeletePod& action, std::ostream* out) { *out << describe(action); }
inline void PrintTo(const ClearPod& action, std::ostream* out) { *out << describe(action); }
inline void PrintTo(const CreateHandOverPod& action, std::ostream* out) {
  *out << describe(action) << " " << boost::json::serialize(action.pod);
}
inline void PrintTo(const StartHostCleanup& action, std::ostream* out) { *out << describe(action); }
inline void PrintTo(const DeleteHandOverPod& action, std::ostream* out) {
  *out << describe(action);
}
inline void PrintTo(const RecordRemoval& action, std::ostream* out) { *out << describe(action); }
inline void PrintTo(const CreateChild& action, std::ostream* out) { *out << describe(action); }
inline void PrintTo(const SteerChild& action, std::ostream* out) { *out << describe(action); }
inline void PrintTo(const DeleteRemoval& action, std::ostream* out) { *out << describe(action); }
inline void PrintTo(const DeleteNode& action, std::ostream* out) { *out << describe(action); }
inline void PrintTo(FactName fact, std::ostream* out) { *out << name_of(fact); }

inline void PrintTo(const Decision& decision, std::ostream* out) {
  *out << summary(decision) << ": " << message_of(decision);
  for (const auto& text : actions_of(decision)) *out << "\n  does " << text;
  for (const auto fact : decision.needs) *out << "\n  needs " << name_of(fact);
  if (decision.requeue) *out << "\n  looks again after " << decision.requeue->count() << " ms";
  *out << "\n  status " << boost::json::serialize(crd::to_json(decision.status));
}

inline void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << refusal.reason << " (" << refusal.message << ") pdb \"" << refusal.pdb << "\", again at "
       << refusal.retry_at.time_since_epoch().count() << " ms";
}

}  // namespace reconcilers

namespace crd {
inline void PrintTo(const NodeRemovalStatus& status, std::ostream* out) {
  *out << boost::json::serialize(to_json(status));
}
inline void PrintTo(ConditionStatus status, std::ostream* out) { *out << to_string(status); }
}  // namespace crd
