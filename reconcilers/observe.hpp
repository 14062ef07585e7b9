#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "controller/kube_client.hpp"
#include "crd/node_removal.hpp"
#include "reconcilers/observation.hpp"
#include "reconcilers/session.hpp"

namespace reconcilers {

using controller::awaitable;

/// The list of all nodes for the guards that look at the whole cluster, shared by all removals.
/// Nothing is decided about a single node from it.
class CensusCache {
 public:
  explicit CensusCache(controller::KubeClient& client) : client_(client) {}

  /// At most `max_age` old; a quorum read when a new one is needed.
  awaitable<std::expected<std::vector<NodeSummary>, std::string>> get(
      std::chrono::milliseconds max_age);
  /// We have changed a node ourselves: what was read before no longer counts.
  void invalidate() { read_at_.reset(); }

 private:
  controller::KubeClient& client_;
  std::vector<NodeSummary> nodes_;
  std::optional<std::chrono::steady_clock::time_point> read_at_;
};

/// Quorum read of a node; nullopt only when the API server says that there is none of that name.
awaitable<std::expected<std::optional<crd::Node>, std::string>> read_node(
    controller::KubeClient& client, std::string name);

/// Quorum read; nullopt when there is no such pod.
awaitable<std::expected<std::optional<crd::HandOverPod>, std::string>> read_hand_over_pod(
    controller::KubeClient& client, std::string ns, std::string name);

/// Quorum list of the pods bound to a node, sorted. The field selector is checked again on every
/// item: a server that ignores it would return the pods of the whole cluster.
awaitable<std::expected<std::vector<crd::Pod>, std::string>> read_pods(
    controller::KubeClient& client, std::string node);

/// Progress of every workload in `workloads` that is not in `session.migrated` yet; those that are
/// ready are added there. Readiness is counted on the pods themselves: the workload's own status
/// may be older than the eviction.
awaitable<std::expected<std::map<std::string, WorkloadProgress>, std::string>> read_workloads(
    controller::KubeClient& client, Session& session, std::string node,
    std::vector<crd::WorkloadStatus> workloads);

/// Whether only one node may use the PersistentVolumeClaims of these pods, by namespace/name. Read
/// once per removal: access modes do not change. One that is gone is not in the answer.
awaitable<std::expected<std::map<std::string, bool>, std::string>> read_claims(
    controller::KubeClient& client, Session& session, std::vector<crd::Pod> pods);

/// Asks the API server for each of these pods how it would answer its eviction now.
awaitable<std::map<std::string, Refusal>> try_evictions(controller::KubeClient& client,
                                                        std::vector<crd::Pod> pods,
                                                        crd::TimePoint now);

/// The budget that a refusal names, at most half a minute old; nullopt when it cannot be read.
awaitable<std::optional<crd::DisruptionBudget>> read_budget(controller::KubeClient& client,
                                                            Session& session, std::string ns,
                                                            std::string name);

/// The nodes that a selector matches, sorted by name. Quorum read.
awaitable<std::expected<std::vector<NodeMatch>, std::string>> read_matches(
    controller::KubeClient& client, std::string label_selector);

/// Names of the VolumeAttachments of a node, sorted. Quorum read.
awaitable<std::expected<std::vector<std::string>, std::string>> read_attachments(
    controller::KubeClient& client, std::string node);

/// What is left of a deleted node. `pods` are those still bound to its name.
awaitable<std::expected<Leftovers, std::string>> read_leftovers(controller::KubeClient& client,
                                                                std::string node,
                                                                std::string node_uid,
                                                                std::vector<std::string> pods);

}  // namespace reconcilers
