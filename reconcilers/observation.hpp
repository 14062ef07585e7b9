#pragma once

#include <expected>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crd/core_types.hpp"
#include "crd/node_removal.hpp"

namespace reconcilers {

/// A fact that may not have been asked for yet (nullopt), may have been impossible to learn (the
/// error says why), or is known. Only a known fact can lead to a destructive action.
template <typename T>
using Fact = std::optional<std::expected<T, std::string>>;

template <typename T>
const T* known(const Fact<T>& fact) {
  return fact && *fact ? &**fact : nullptr;
}

/// One node, reduced to what the guards that look at the whole cluster need.
struct NodeSummary {
  std::string name;
  std::string uid;
  bool ready = false;
  bool unschedulable = false;
  bool control_plane = false;
  bool being_cleaned = false;  ///< we had its machine cleaned, which stops its kubelet
  bool operator==(const NodeSummary&) const = default;
};

/// Another NodeRemoval that is not finished, reduced to what two removals have to know of each
/// other.
struct OtherRemoval {
  std::string name;
  std::string uid;
  std::string node_name;
  bool older = false;     ///< created before this one (ties are broken by UID)
  bool accepted = false;  ///< it has begun, or is about to
  bool waits_for_budget = false;
  bool operator==(const OtherRemoval&) const = default;
};

/// A node that the nodeSelector of a removal matches.
struct NodeMatch {
  std::string name;
  std::string uid;
};

/// The NodeRemoval that a removal with a nodeSelector made for one of its nodes.
struct Child {
  std::string name;
  std::string resource_version;
  std::string node_name;
  std::string reason;  ///< of its condition Succeeded; empty before it has one
  bool terminal = false;
  bool suspend = false;
  bool suspended_by_parent = false;
  bool fenced = false;
  std::optional<crd::PodCounts> pods;
};

/// What is remembered of the node of a name that was removed last.
struct RemovedNode {
  std::string uid;
  std::string removal;
  std::string time;  ///< RFC 3339
};

/// How an eviction was refused, and when to ask again.
struct Refusal {
  std::string reason;  ///< a blocker reason
  std::string message;
  std::string pdb;
  crd::TimePoint retry_at;
  bool operator==(const Refusal&) const = default;
};

/// How far the pods of one drained workload have come elsewhere.
struct WorkloadProgress {
  bool exists = true;
  std::int64_t desired = 0;
  std::int64_t ready = 0;  ///< ready pods on other nodes
};

/// What is left of a node after its Node object is gone.
struct Leftovers {
  std::vector<std::string> pods;         ///< namespace/name, sorted
  std::vector<std::string> attachments;  ///< VolumeAttachments, sorted
  bool lease = false;
  bool csi_node = false;
  /// A Lease that does not belong to the deleted Node, which Kubernetes therefore does not collect:
  /// its kubelet runs and has made it anew (seen with 1.20).
  bool lease_of_running_kubelet = false;
  /// Nothing is left that goes away by itself.
  bool empty() const { return pods.empty() && attachments.empty() && !lease && !csi_node; }
};

/// Everything decide() may know, as plain values.
struct Observation {
  crd::NodeRemoval removal;

  /// The node of that name; known and nullopt = proven absent by the API server's own 404.
  Fact<std::optional<crd::Node>> node;
  bool node_is_fresh = false;  ///< `node` was read from the quorum in this round
  /// All pods bound to the node, sorted by namespace and name.
  Fact<std::vector<crd::Pod>> pods;
  Fact<std::vector<NodeSummary>> census;
  /// By WorkloadStatus::uid; only workloads of `removal.status.workloads`.
  Fact<std::map<std::string, WorkloadProgress>> workloads;
  /// VolumeAttachments of the node: names, sorted.
  Fact<std::vector<std::string>> attachments;
  Fact<Leftovers> leftovers;
  /// By "namespace/name" of the PersistentVolumeClaims of the pods: whether only one node may use
  /// the volume.
  Fact<std::map<std::string, bool>> claims;
  /// How the API server would refuse to evict pods of the node (dry run), by pod UID.
  Fact<std::map<std::string, Refusal>> trials;
  /// Known and nullopt: there is none.
  Fact<std::optional<crd::HandOverPod>> hand_over_pod;
  Fact<int> server_minor;  ///< the 36 of Kubernetes 1.36
  /// By name of the node.
  Fact<std::map<std::string, RemovedNode>> removed_nodes;
  /// With a nodeSelector: the nodes that match now, sorted by name.
  Fact<std::vector<NodeMatch>> matches;

  std::vector<Child> children;

  std::vector<OtherRemoval> others;
  std::map<std::string, Refusal> refusals;  ///< by pod UID
  /// Pods whose eviction or deletion was accepted, by UID, and until when the effect may still be
  /// on its way.
  std::map<std::string, crd::TimePoint> accepted;
  std::map<std::string, crd::TimePoint> cleared;  ///< the same for deletions with grace 0
  std::string action_error;  ///< why the last action failed; empty when it did not
  std::string gate_refusal;  ///< why the gate did not let the last delete of the Node pass
};

}  // namespace reconcilers
