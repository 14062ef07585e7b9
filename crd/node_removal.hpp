#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crd/condition.hpp"
#include "crd/core_types.hpp"
#include "crd/host_cleanup.hpp"
#include "crd/label_selector.hpp"
#include "crd/time.hpp"

/// The NodeRemoval object: noderemoval.dev/v1alpha1. What each field means to a user is described
/// in crd/noderemovals.yaml; this header says what the program makes of it.
namespace crd {

inline constexpr std::string_view kApiVersion = "noderemoval.dev/v1alpha1";
inline constexpr std::string_view kKind = "NodeRemoval";
inline constexpr std::string_view kFinalizer = "noderemoval.dev/removal";
inline constexpr std::string_view kClaimAnnotation = "noderemoval.dev/claim";
inline constexpr std::string_view kProtectAnnotation = "noderemoval.dev/protect";
inline constexpr std::string_view kSuspendedByParentAnnotation =
    "noderemoval.dev/suspended-by-parent";
inline constexpr std::string_view kRemovingTaint = "noderemoval.dev/removing";
inline constexpr std::string_view kOutOfServiceTaint = "node.kubernetes.io/out-of-service";

namespace condition {
inline constexpr std::string_view kAccepted = "Accepted";
inline constexpr std::string_view kCordoned = "Cordoned";
inline constexpr std::string_view kDrained = "Drained";
inline constexpr std::string_view kPodsMigrated = "PodsMigrated";
inline constexpr std::string_view kVolumesDetached = "VolumesDetached";
inline constexpr std::string_view kTerminatingPodsCleared = "TerminatingPodsCleared";
inline constexpr std::string_view kHostCleaned = "HostCleaned";
inline constexpr std::string_view kNodeDeleted = "NodeDeleted";
inline constexpr std::string_view kLeftoversGone = "LeftoversGone";
inline constexpr std::string_view kSucceeded = "Succeeded";
inline constexpr std::string_view kReconciling = "Reconciling";
inline constexpr std::string_view kStalled = "Stalled";
}  // namespace condition

enum class DrainTimeoutAction { Fail, Delete };
enum class TimeoutAction { Continue, Fail };

struct DrainSpec {
  bool force = false;
  bool delete_empty_dir_data = false;
  bool ignore_daemon_sets = true;
  std::optional<std::int64_t> grace_period_seconds;
  std::int64_t timeout_seconds = 3600;  ///< 0 = no limit
  DrainTimeoutAction on_timeout = DrainTimeoutAction::Fail;
  std::optional<LabelSelector> pod_selector;
  std::optional<LabelSelector> wait_for_completion;
  bool disable_eviction = false;
};

struct MigrationSpec {
  bool wait = true;
  std::int64_t timeout_seconds = 600;
  TimeoutAction on_timeout = TimeoutAction::Continue;
};

struct VolumesSpec {
  bool wait_for_detach = true;
  std::int64_t timeout_seconds = 300;
  TimeoutAction on_timeout = TimeoutAction::Continue;
};

struct UnreachableSpec {
  std::int64_t tolerance_seconds = 300;
  bool fenced = false;
};

struct HostCleanupSpec {
  bool enabled = false;
  CleanupPlan plan;
  std::string image;  ///< empty: that of the operator
  std::int64_t timeout_seconds = 600;
  TimeoutAction on_failure = TimeoutAction::Fail;
};

/// How many nodes of a selector at once: a number, or a percentage of them.
struct MaxConcurrent {
  std::int64_t value = 1;
  bool percent = false;
  /// At least 1.
  std::int64_t of(std::int64_t nodes) const;
  bool operator==(const MaxConcurrent&) const = default;
};

struct NodeRemovalSpec {
  std::string node_name;
  std::optional<LabelSelector> node_selector;
  std::optional<MaxConcurrent> max_concurrent;
  std::string node_uid;
  bool suspend = false;
  bool dry_run = false;
  DrainSpec drain;
  MigrationSpec migration;
  VolumesSpec volumes;
  UnreachableSpec unreachable;
  HostCleanupSpec host_cleanup;
  bool delete_node = true;
  bool allow_control_plane = false;
  std::optional<std::int64_t> ttl_seconds_after_finished;

  /// What is wrong with the spec as it was written (wrong types, unknown words), empty when nothing
  /// is. The API server checks the same by the schema; this is the second line, for objects that
  /// got past it.
  std::vector<std::string> decode_errors;
};

struct PodCounts {
  std::int64_t total = 0;
  std::int64_t evicted = 0;
  std::int64_t terminating = 0;
  std::int64_t blocked = 0;
  std::int64_t remaining = 0;
  std::int64_t skipped = 0;
  bool operator==(const PodCounts&) const = default;
};

struct Blocker {
  std::string pod;  ///< namespace/name
  std::string uid;
  std::string reason;
  std::string message;
  std::string pdb;
  TimePoint since;
  bool operator==(const Blocker&) const = default;
};

/// What is done with one pod of the node.
struct PlannedPod {
  std::string pod;  ///< namespace/name
  std::string action;
  std::string reason;
  bool operator==(const PlannedPod&) const = default;
};

/// One node of a selector. `reason` is that of its own NodeRemoval; empty before it has one.
struct SelectedNode {
  std::string name;
  std::string uid;
  std::string reason;
  bool operator==(const SelectedNode&) const = default;
};

struct WorkloadStatus {
  std::string kind;
  std::string ns;
  std::string name;
  std::string uid;
  std::int64_t desired = 0;
  std::int64_t ready = 0;
  bool operator==(const WorkloadStatus&) const = default;
};

/// Why the node was judged dead, with the times the judgement rests on.
struct Evidence {
  ConditionStatus ready = ConditionStatus::Unknown;
  TimePoint not_ready_since;  ///< the node condition's own transition time
  TimePoint observed_since;   ///< since when we have seen it NotReady without a break
  std::string reason;
  std::string message;
  bool fenced = false;
  std::string fenced_by;  ///< "spec.unreachable.fenced" or the taint
  bool operator==(const Evidence&) const = default;
};

inline constexpr std::size_t kMaxText = 1024;  ///< of messages that come from elsewhere, in bytes
inline constexpr std::size_t kMaxBlockers = 20;
inline constexpr std::size_t kMaxWorkloads = 256;
inline constexpr std::size_t kMaxPlan = 100;
inline constexpr std::size_t kMaxNodes = 500;

struct NodeRemovalStatus {
  std::int64_t observed_generation = -1;
  std::string node_name;  ///< spec.nodeName when the removal was first seen
  std::string node_uid;
  std::string spec_hash;  ///< fixed_spec_hash of the spec when the removal was first seen
  std::optional<TimePoint> start_time;
  std::optional<TimePoint> completion_time;
  Conditions conditions;
  std::optional<PodCounts> pods;
  std::vector<Blocker> blockers;  ///< sorted, at most kMaxBlockers
  std::int64_t blockers_omitted = 0;
  std::vector<WorkloadStatus> workloads;  ///< sorted, at most kMaxWorkloads
  std::int64_t workloads_omitted = 0;
  std::vector<PlannedPod> plan;  ///< sorted, at most kMaxPlan
  std::int64_t plan_omitted = 0;
  std::optional<Evidence> evidence;
  std::vector<SelectedNode> nodes;  ///< sorted, at most kMaxNodes
  bool operator==(const NodeRemovalStatus&) const = default;

  bool is_terminal() const;
};

struct NodeRemoval {
  ObjectMeta meta;
  /// As it is written; its node_name is the one that status is bound to.
  NodeRemovalSpec spec;
  NodeRemovalStatus status;
  /// Somebody changed what is fixed, which API servers before 1.25 do not refuse.
  bool spec_changed = false;

  bool is_being_deleted() const { return meta.deletion_timestamp.has_value(); }
  bool has_finalizer() const;
  /// True for one with a nodeSelector: it was one when first seen, whatever its spec says now.
  bool is_group() const;
  /// True when Argo CD, Flux or Helm would create the object again if it were gone.
  bool is_managed() const;
  /// When it is to be deleted after it has finished. nullopt: never. ttlSecondsAfterFinished does
  /// not count for a managed object unless nodeUID is pinned: created again, it would remove the
  /// node that has joined under that name.
  std::optional<TimePoint> expires_at() const;
  /// ttlSecondsAfterFinished is set and does not count.
  bool ignores_ttl() const;
};

/// By which what a removal has made belongs to it, and goes with it.
boost::json::object owner_reference(const ObjectMeta& removal);

/// Cut to kMaxText: a status that is refused for one long message would stop the removal.
std::string shortened(const std::string& text);

NodeRemovalSpec node_removal_spec_from_json(const boost::json::object& object);
NodeRemoval node_removal_from_json(const boost::json::object& object);
boost::json::object to_json(const NodeRemovalStatus& status);

/// The merge patch that turns the status `before` into `after`: only members that differ; those
/// that went away are null. Empty when there is nothing to write.
boost::json::object status_merge_patch(const NodeRemovalStatus& before,
                                       const NodeRemovalStatus& after);

}  // namespace crd
