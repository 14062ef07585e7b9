#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "crd/core_types.hpp"
#include "crd/node_removal.hpp"

namespace reconcilers {

struct AddFinalizer {
  bool operator==(const AddFinalizer&) const = default;
};
struct RemoveFinalizer {
  bool operator==(const RemoveFinalizer&) const = default;
};

/// One merge patch, guarded by UID and resourceVersion: unschedulable, claim annotation, taint.
struct Cordon {
  std::string node;
  std::string uid;
  std::string resource_version;
  bool was_unschedulable = false;  ///< remembered in the claim, so that cancel restores it
  boost::json::array taints;       ///< all taints of the node and ours
  bool operator==(const Cordon&) const = default;
};

/// The reverse: removes our claim and our taint, and makes the node schedulable again if
/// `uncordon`.
struct Release {
  std::string node;
  std::string uid;
  std::string resource_version;
  bool uncordon = false;
  boost::json::array taints;  ///< all taints of the node without ours
  bool operator==(const Release&) const = default;
};

/// Replaces the taints of the node, to set or to take back the out-of-service taint.
struct SetTaints {
  std::string node;
  std::string uid;
  std::string resource_version;
  boost::json::array taints;  ///< all of them
  bool operator==(const SetTaints&) const = default;
};

/// Tells a pod of a Ready node to leave, through the Eviction API: PodDisruptionBudgets are
/// respected.
struct Evict {
  crd::PodRef pod;
  std::optional<std::int64_t> grace_period_seconds;  ///< nullopt: the pod's own; never below 1
  bool past_budgets = false;  ///< a plain delete instead, because the user wants it
  bool operator==(const Evict&) const = default;
};

/// Plain delete with the pod's own grace, on a node judged dead, so that a replacement starts.
struct DeletePod {
  crd::PodRef pod;
  bool at_most_once = false;  ///< must not run twice: only while the machine is asserted to be off
  bool operator==(const DeletePod&) const = default;
};

/// Delete with grace 0: removes the object without asking the kubelet of a dead node.
struct ClearPod {
  crd::PodRef pod;
  bool at_most_once = false;  ///< as above
  bool operator==(const ClearPod&) const = default;
};

/// Remember that the node of this name and UID is removed.
struct RecordRemoval {
  std::string node;
  std::string uid;
  bool operator==(const RecordRemoval&) const = default;
};

/// Ask the gate for a permit and delete the Node with it.
struct DeleteNode {
  bool operator==(const DeleteNode&) const = default;
};

/// Make the pod that hands the cleaning of the machine over to it. It may be there already.
struct CreateHandOverPod {
  std::string ns;
  boost::json::object pod;
  bool operator==(const CreateHandOverPod&) const = default;
};

/// Ask the gate, and let the cleaning of the machine begin. From here on there is no way back.
struct StartHostCleanup {
  bool operator==(const StartHostCleanup&) const = default;
};

/// Remove that pod at once: what it had to do is done, or will not be.
struct DeleteHandOverPod {
  crd::PodRef pod;
  bool operator==(const DeleteHandOverPod&) const = default;
};

/// Make the NodeRemoval of one node of a nodeSelector. It may be there already.
struct CreateChild {
  std::string name;
  std::string node;
  std::string node_uid;
  bool operator==(const CreateChild&) const = default;
};

/// Hand what may change in a spec down to a child.
struct SteerChild {
  std::string name;
  std::string resource_version;
  bool suspend = false;
  bool by_parent = false;  ///< remember that the suspension is the parent's
  bool fenced = false;
  bool operator==(const SteerChild&) const = default;
};

/// Delete this NodeRemoval, whose time after its end is over.
struct DeleteRemoval {
  bool operator==(const DeleteRemoval&) const = default;
};

using Action =
    std::variant<AddFinalizer, RemoveFinalizer, Cordon, Release, SetTaints, Evict, DeletePod,
                 ClearPod, CreateHandOverPod, StartHostCleanup, DeleteHandOverPod, RecordRemoval,
                 DeleteNode, CreateChild, SteerChild, DeleteRemoval>;

/// Facts that are read only in the steps that need them.
enum class FactName {
  Node,
  FreshNode,  ///< the node as the API server has it now, whatever a watch shows
  Pods,
  Census,
  Workloads,
  Attachments,
  Leftovers,
  Claims,
  Trials,
  ServerMinor,
  HandOverPod,
  RemovedNodes,
  Matches,
};

struct Decision {
  crd::NodeRemovalStatus status;  ///< as it should read, written before any action is sent
  std::vector<Action> actions;    ///< in order; the first failure ends the round
  std::set<FactName> needs;  ///< not empty: learn these and decide again; there are no actions then
  std::optional<std::chrono::milliseconds>
      requeue;  ///< look again after this time, also without an event
};

}  // namespace reconcilers
