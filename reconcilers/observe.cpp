#include "reconcilers/observe.hpp"

#include <algorithm>
#include <utility>

#include "reconcilers/eviction_outcome.hpp"
#include "reconcilers/guards.hpp"
#include "reconcilers/host_cleanup.hpp"
#include "reconcilers/resources.hpp"

namespace reconcilers {
namespace {

using controller::ErrorKind;
using controller::KubeClient;
using controller::ListRequest;
using controller::ObjectRef;
using controller::Resource;

const Resource* workload_resource(std::string_view kind) {
  if (kind == "ReplicaSet") return &resources::kReplicaSets;
  if (kind == "StatefulSet") return &resources::kStatefulSets;
  if (kind == "ReplicationController") return &resources::kReplicationControllers;
  return nullptr;
}

/// Quorum read. nullopt: the API server says that there is no such object.
template <typename T>
awaitable<std::expected<std::optional<T>, std::string>> find(
    KubeClient& client, ObjectRef ref, T (*from_json)(const boost::json::object&)) {
  const auto object = co_await client.get(std::move(ref));
  if (object) co_return from_json(*object);
  if (object.error().kind == ErrorKind::NotFound) co_return std::nullopt;
  co_return std::unexpected(object.error().message);
}

/// Pods of the workload that are ready on other nodes than `node`. Those of a Deployment belong to
/// one of its ReplicaSets.
awaitable<std::expected<std::int64_t, std::string>> count_ready_elsewhere(
    KubeClient& client, const crd::Workload& owner, bool is_deployment, const std::string& node) {
  const auto selector = owner.selector ? owner.selector->query() : "";
  if (selector.empty()) co_return std::unexpected("its selector cannot be read");
  const auto is_ready_elsewhere = [&](const crd::Pod& pod) {
    const auto* controller = pod.meta.controller();
    const bool is_of_it =
        controller != nullptr &&
        (is_deployment ? controller->kind == "ReplicaSet" : controller->uid == owner.meta.uid);
    return is_of_it && pod.ready && !pod.is_terminating() && pod.node_name != node;
  };
  std::int64_t ready = 0;
  ListRequest request{.collection = {resources::kPods, owner.meta.ns},
                      .label_selector = selector,
                      .fields = crd::kPodFields,
                      .on_item = [&](boost::json::object&& item) {
                        if (is_ready_elsewhere(crd::pod_from_json(item))) ++ready;
                      }};
  const auto answer = co_await client.list(std::move(request));
  if (!answer) co_return std::unexpected(answer.error().message);
  co_return ready;
}

bool is_of_deployment(const crd::ObjectMeta& replica_set) {
  const auto* owner = replica_set.controller();
  return owner != nullptr && owner->kind == "Deployment";
}

/// The Deployment of the ReplicaSet; nullopt when it is gone.
awaitable<std::expected<std::optional<crd::Workload>, std::string>> find_owner(
    KubeClient& client, crd::ObjectMeta replica_set) {
  const auto* owner = replica_set.controller();
  ObjectRef ref{resources::kDeployments, replica_set.ns, owner->name};
  auto deployment = co_await find(client, std::move(ref), crd::workload_from_json);
  if (deployment && *deployment && (*deployment)->meta.uid != owner->uid) deployment->reset();
  co_return deployment;
}

/// A ReplicaSet that wants no pods any more because its Deployment was rolled out meanwhile: then
/// the pods of the Deployment are the ones that run elsewhere.
awaitable<std::expected<WorkloadProgress, std::string>> read_workload(
    KubeClient& client, const std::string& node, const crd::WorkloadStatus& workload) {
  const auto* resource = workload_resource(workload.kind);
  if (resource == nullptr) co_return WorkloadProgress{.exists = false};
  ObjectRef ref{*resource, workload.ns, workload.name};
  const auto found = co_await find(client, std::move(ref), crd::workload_from_json);
  if (!found) co_return std::unexpected(found.error());
  if (!*found || (*found)->meta.uid != workload.uid) co_return WorkloadProgress{.exists = false};
  auto owner = **found;
  const bool rolled_out = owner.desired == 0 && is_of_deployment(owner.meta);
  if (rolled_out) {
    const auto deployment = co_await find_owner(client, owner.meta);
    if (!deployment) co_return std::unexpected(deployment.error());
    if (!*deployment) co_return WorkloadProgress{.exists = false};
    owner = **deployment;
  }
  WorkloadProgress progress{.exists = true, .desired = owner.desired, .ready = owner.ready};
  if (progress.ready < progress.desired) co_return progress;
  const auto ready = co_await count_ready_elsewhere(client, owner, rolled_out, node);
  if (!ready) co_return std::unexpected(ready.error());
  progress.ready = *ready;
  co_return progress;
}

/// A machine that was told to clean itself by the removal that holds its node.
bool is_being_cleaned(const crd::Node& node) {
  const auto claim = read_claim(node);
  return claim && host_cleanup_was_started(node, claim->uid);
}

NodeSummary summary_of(const crd::Node& node) {
  return {.name = node.meta.name,
          .uid = node.meta.uid,
          .ready = node.is_ready(),
          .unschedulable = node.unschedulable,
          .control_plane = node.is_control_plane(),
          .being_cleaned = is_being_cleaned(node)};
}

}  // namespace

awaitable<std::expected<std::vector<NodeSummary>, std::string>> CensusCache::get(
    std::chrono::milliseconds max_age) {
  const auto asked_at = std::chrono::steady_clock::now();
  if (read_at_ && asked_at - *read_at_ < max_age) co_return nodes_;
  std::vector<NodeSummary> nodes;
  ListRequest request{.collection = {resources::kNodes, {}},
                      .fields = crd::kNodeFields,
                      .on_item = [&](boost::json::object&& item) {
                        nodes.push_back(summary_of(crd::node_from_json(item)));
                      }};
  const auto answer = co_await client_.list(std::move(request));
  if (!answer) co_return std::unexpected(answer.error().message);
  nodes_ = std::move(nodes);
  read_at_ = asked_at;
  co_return nodes_;
}

awaitable<std::expected<std::optional<crd::Node>, std::string>> read_node(KubeClient& client,
                                                                          std::string name) {
  ObjectRef ref{resources::kNodes, {}, std::move(name)};
  co_return co_await find(client, std::move(ref), crd::node_from_json);
}

awaitable<std::expected<std::optional<crd::HandOverPod>, std::string>> read_hand_over_pod(
    KubeClient& client, std::string ns, std::string name) {
  ObjectRef ref{resources::kPods, std::move(ns), std::move(name)};
  co_return co_await find(client, std::move(ref), crd::hand_over_pod_from_json);
}

awaitable<std::expected<std::vector<crd::Pod>, std::string>> read_pods(KubeClient& client,
                                                                       std::string node) {
  std::vector<crd::Pod> pods;
  ListRequest request{.collection = {resources::kPods, {}},
                      .field_selector = "spec.nodeName=" + node,
                      .fields = crd::kPodFields,
                      .on_item = [&](boost::json::object&& item) {
                        auto pod = crd::pod_from_json(item);
                        if (pod.node_name == node) pods.push_back(std::move(pod));
                      }};
  const auto answer = co_await client.list(std::move(request));
  if (!answer) co_return std::unexpected(answer.error().message);
  std::ranges::sort(pods, {}, &crd::Pod::full_name);
  co_return pods;
}

awaitable<std::expected<std::map<std::string, WorkloadProgress>, std::string>> read_workloads(
    KubeClient& client, Session& session, std::string node,
    std::vector<crd::WorkloadStatus> workloads) {
  auto result = session.migrated;
  for (const auto& workload : workloads) {
    if (session.migrated.contains(workload.uid)) continue;
    const auto progress = co_await read_workload(client, node, workload);
    if (!progress) {
      co_return std::unexpected(workload.kind + " " + workload.ns + "/" + workload.name + ": " +
                                progress.error());
    }
    result[workload.uid] = *progress;
    if (!progress->exists || progress->ready >= progress->desired)
      session.migrated[workload.uid] = *progress;
  }
  co_return result;
}

awaitable<std::expected<std::map<std::string, bool>, std::string>> read_claims(
    KubeClient& client, Session& session, std::vector<crd::Pod> pods) {
  for (const auto& pod : pods) {
    for (const auto& claim : pod.claims) {
      const auto key = pod.meta.ns + "/" + claim;
      if (pod.is_finished() || session.claims.contains(key)) continue;
      ObjectRef ref{resources::kPersistentVolumeClaims, pod.meta.ns, claim};
      const auto object = co_await client.get(std::move(ref));
      if (object) {
        session.claims[key] = crd::is_exclusive_claim(*object);
      } else if (object.error().kind != ErrorKind::NotFound) {
        co_return std::unexpected(object.error().message);
      }
    }
  }
  co_return session.claims;
}

awaitable<std::map<std::string, Refusal>> try_evictions(KubeClient& client,
                                                        std::vector<crd::Pod> pods,
                                                        crd::TimePoint now) {
  std::map<std::string, Refusal> refusals;
  for (const auto& pod : pods) {
    const auto answer = co_await client.evict(pod.ref(), std::nullopt, true);
    const bool gone = !answer && (answer.error().kind == ErrorKind::NotFound ||
                                  answer.error().kind == ErrorKind::Conflict);
    if (!answer && !gone) refusals[pod.meta.uid] = refusal_from(answer.error(), 0, 0.0, now);
  }
  co_return refusals;
}

awaitable<std::optional<crd::DisruptionBudget>> read_budget(KubeClient& client, Session& session,
                                                            std::string ns, std::string name) {
  constexpr std::chrono::seconds kMaxAge{30};
  auto& known = session.budgets[ns + "/" + name];
  const auto asked_at = std::chrono::steady_clock::now();
  if (asked_at - known.read_at < kMaxAge) co_return known.budget;
  ObjectRef ref{resources::kPodDisruptionBudgets, ns, name};
  auto object = co_await client.get(ref);
  const bool not_served =
      !object && object.error().http_status == 404 && object.error().kind != ErrorKind::NotFound;
  if (not_served) {
    ref.resource = resources::kPodDisruptionBudgetsBeta;
    object = co_await client.get(ref);
  }
  known = {.budget = std::nullopt, .read_at = asked_at};
  if (object) known.budget = crd::disruption_budget_from_json(*object);
  co_return known.budget;
}

awaitable<std::expected<std::vector<NodeMatch>, std::string>> read_matches(
    KubeClient& client, std::string label_selector) {
  std::vector<NodeMatch> matches;
  ListRequest request{.collection = {resources::kNodes, {}},
                      .label_selector = std::move(label_selector),
                      .fields = crd::kNodeFields,
                      .on_item = [&](boost::json::object&& item) {
                        const auto meta = crd::object_meta_from_json(item);
                        matches.push_back({.name = meta.name, .uid = meta.uid});
                      }};
  const auto answer = co_await client.list(std::move(request));
  if (!answer) co_return std::unexpected(answer.error().message);
  std::ranges::sort(matches, {}, &NodeMatch::name);
  co_return matches;
}

awaitable<std::expected<std::vector<std::string>, std::string>> read_attachments(KubeClient& client,
                                                                                 std::string node) {
  std::vector<std::string> names;
  ListRequest request{.collection = {resources::kVolumeAttachments, {}},
                      .fields = crd::kVolumeAttachmentFields,
                      .on_item = [&](boost::json::object&& item) {
                        const auto attachment = crd::volume_attachment_from_json(item);
                        if (attachment.node_name != node) return;
                        names.push_back(attachment.volume + " (" + attachment.meta.name + ")");
                      }};
  const auto answer = co_await client.list(std::move(request));
  if (!answer) co_return std::unexpected(answer.error().message);
  std::ranges::sort(names);
  co_return names;
}

awaitable<std::expected<Leftovers, std::string>> read_leftovers(KubeClient& client,
                                                                std::string node,
                                                                std::string node_uid,
                                                                std::vector<std::string> pods) {
  Leftovers leftovers;
  leftovers.pods = std::move(pods);
  // Pods take longest; the rest is asked for when they are gone.
  if (!leftovers.pods.empty()) co_return leftovers;
  const auto attachments = co_await read_attachments(client, node);
  if (!attachments) co_return std::unexpected(attachments.error());
  leftovers.attachments = *attachments;
  ObjectRef lease_ref{resources::kLeases, "kube-node-lease", node};
  const auto lease = co_await find(client, std::move(lease_ref), crd::object_meta_from_json);
  if (!lease) co_return std::unexpected(lease.error());
  const auto is_the_node = [&](const crd::OwnerReference& owner) { return owner.uid == node_uid; };
  const bool belongs_to_node =
      *lease && std::ranges::any_of((*lease)->owner_references, is_the_node);
  leftovers.lease = belongs_to_node;
  leftovers.lease_of_running_kubelet = *lease && !belongs_to_node;
  ObjectRef csi_node_ref{resources::kCsiNodes, {}, node};
  const auto csi_node = co_await find(client, std::move(csi_node_ref), crd::object_meta_from_json);
  if (!csi_node) co_return std::unexpected(csi_node.error());
  leftovers.csi_node = csi_node->has_value();
  co_return leftovers;
}

}  // namespace reconcilers
