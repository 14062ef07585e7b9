#pragma once

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crd/condition.hpp"
#include "crd/label_selector.hpp"
#include "crd/time.hpp"

/// The slices of Kubernetes' own objects that the operator reads, and nothing more.
namespace crd {

struct OwnerReference {
  std::string kind;
  std::string name;
  std::string uid;
  std::string api_version;
  bool controller = false;
  bool operator==(const OwnerReference&) const = default;
};

struct ObjectMeta {
  std::string name;
  std::string ns;
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  std::optional<TimePoint> creation_timestamp;
  std::optional<TimePoint> deletion_timestamp;  ///< already contains the grace period
  std::optional<std::int64_t> deletion_grace_period_seconds;
  std::vector<std::string> finalizers;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  std::vector<OwnerReference> owner_references;

  const OwnerReference* controller() const;
  bool operator==(const ObjectMeta&) const = default;
};

/// True when `a` is a later version of the same object than `b`. Versions are compared as numbers,
/// which Kubernetes allows for two versions of one resource; anything that is no number counts as
/// older.
bool is_newer(const ObjectMeta& a, const ObjectMeta& b);

struct Taint {
  std::string key;
  std::string value;
  std::string effect;
  bool operator==(const Taint&) const = default;
};

struct Toleration {
  std::string key;         ///< empty with any_value: tolerates every taint
  bool any_value = false;  ///< operator Exists
  std::string value;
  std::string effect;  ///< empty: every effect
  bool tolerates(const Taint& taint) const;
  bool operator==(const Toleration&) const = default;
};

struct Node {
  ObjectMeta meta;
  bool unschedulable = false;
  std::vector<Taint> taints;
  boost::json::array taints_json;  ///< as sent, with the fields that we do not read
  ConditionStatus ready = ConditionStatus::Unknown;
  std::optional<TimePoint>
      ready_transition_time;  ///< absent when the node never had a Ready condition
  std::string ready_reason;
  std::string ready_message;

  bool is_ready() const { return ready == ConditionStatus::True; }
  bool is_control_plane() const;
};

/// Which pod is meant: this very one, not another of the same name.
struct PodRef {
  std::string ns;
  std::string name;
  std::string uid;
  bool operator==(const PodRef&) const = default;
};

struct Pod {
  ObjectMeta meta;
  std::string node_name;
  std::string phase;
  std::string priority_class;
  std::int64_t grace_period_seconds = 30;  ///< terminationGracePeriodSeconds
  std::vector<Toleration> tolerations;
  bool ready = false;               ///< its Ready condition is True
  bool empty_dir = false;           ///< has an emptyDir volume
  std::vector<std::string> claims;  ///< names of its PersistentVolumeClaims

  bool tolerates(const Taint& taint) const;
  bool is_terminating() const { return meta.deletion_timestamp.has_value(); }
  bool is_finished() const { return phase == "Succeeded" || phase == "Failed"; }
  bool is_mirror() const;
  PodRef ref() const { return {meta.ns, meta.name, meta.uid}; }
  std::string full_name() const { return meta.ns + "/" + meta.name; }
};

/// A ReplicaSet, StatefulSet or ReplicationController, reduced to what "its pods run" means.
struct Workload {
  ObjectMeta meta;
  std::int64_t desired = 1;
  std::int64_t ready = 0;
  std::optional<LabelSelector> selector;  ///< nullopt when we do not understand it
};

/// A PodDisruptionBudget, reduced to whether it will ever let a pod go.
struct DisruptionBudget {
  ObjectMeta meta;
  std::int64_t observed_generation = 0;
  std::int64_t expected_pods = 0;
  std::int64_t current_healthy = 0;
  std::int64_t desired_healthy = 0;
  std::int64_t disruptions_allowed = 0;
  bool has_disrupted_pods = false;  ///< evictions that its status does not count yet

  bool is_current() const { return observed_generation >= meta.generation; }
  /// All its pods are healthy, and still it lets none go.
  bool never_allows() const;
};

struct VolumeAttachment {
  ObjectMeta meta;
  std::string node_name;
  std::string volume;
};

/// What the functions below read of a pod, node or VolumeAttachment, and what the flow reads of
/// their labels and annotations: paths of members, separated by "|".
inline constexpr std::array<std::string_view, 22> kPodFields{
    "metadata|name",
    "metadata|namespace",
    "metadata|uid",
    "metadata|resourceVersion",
    "metadata|creationTimestamp",
    "metadata|deletionTimestamp",
    "metadata|deletionGracePeriodSeconds",
    "metadata|finalizers",
    "metadata|labels",
    "metadata|annotations|kubernetes.io/config.mirror",
    "metadata|ownerReferences",
    "spec|nodeName",
    "spec|priorityClassName",
    "spec|terminationGracePeriodSeconds",
    "spec|tolerations",
    "spec|volumes|name",
    "spec|volumes|emptyDir",
    "spec|volumes|ephemeral",
    "spec|volumes|persistentVolumeClaim",
    "status|phase",
    "status|conditions|type",
    "status|conditions|status"};
inline constexpr std::array<std::string_view, 18> kNodeFields{
    "metadata|name",
    "metadata|uid",
    "metadata|resourceVersion",
    "metadata|creationTimestamp",
    "metadata|deletionTimestamp",
    "metadata|finalizers",
    "metadata|labels",
    "metadata|annotations|noderemoval.dev/claim",
    "metadata|annotations|noderemoval.dev/protect",
    "metadata|annotations|noderemoval.dev/host-cleanup-start",
    "metadata|annotations|noderemoval.dev/host-cleanup-report",
    "spec|unschedulable",
    "spec|taints",
    "status|conditions|type",
    "status|conditions|status",
    "status|conditions|lastTransitionTime",
    "status|conditions|reason",
    "status|conditions|message"};
inline constexpr std::array<std::string_view, 5> kVolumeAttachmentFields{
    "metadata|name", "metadata|uid", "metadata|resourceVersion", "spec|nodeName",
    "spec|source|persistentVolumeName"};

ObjectMeta object_meta_from_json(const boost::json::object& object);
Node node_from_json(const boost::json::object& object);
Pod pod_from_json(const boost::json::object& object);
Workload workload_from_json(const boost::json::object& object);
VolumeAttachment volume_attachment_from_json(const boost::json::object& object);
DisruptionBudget disruption_budget_from_json(const boost::json::object& object);
/// True unless every access mode of the PersistentVolumeClaim lets several nodes use the volume.
bool is_exclusive_claim(const boost::json::object& claim);

}  // namespace crd
