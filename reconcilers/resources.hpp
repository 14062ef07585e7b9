#pragma once

#include "controller/resource.hpp"
#include "crd/node_removal.hpp"

/// Every kind of object this operator touches. manifests/base/rbac.yaml has one rule for each.
namespace reconcilers::resources {

using controller::Resource;

inline constexpr Resource kNodes{"api/v1", "nodes", "Node", false};
inline constexpr Resource kPods{"api/v1", "pods", "Pod", true};
inline constexpr Resource kPersistentVolumeClaims{"api/v1", "persistentvolumeclaims",
                                                  "PersistentVolumeClaim", true};
inline constexpr Resource kPodDisruptionBudgets{"apis/policy/v1", "poddisruptionbudgets",
                                                "PodDisruptionBudget", true};
/// Of servers before 1.21.
inline constexpr Resource kPodDisruptionBudgetsBeta{"apis/policy/v1beta1", "poddisruptionbudgets",
                                                    "PodDisruptionBudget", true};
inline constexpr Resource kConfigMaps{"api/v1", "configmaps", "ConfigMap", true};
inline constexpr Resource kReplicationControllers{"api/v1", "replicationcontrollers",
                                                  "ReplicationController", true};
inline constexpr Resource kDeployments{"apis/apps/v1", "deployments", "Deployment", true};
inline constexpr Resource kReplicaSets{"apis/apps/v1", "replicasets", "ReplicaSet", true};
inline constexpr Resource kStatefulSets{"apis/apps/v1", "statefulsets", "StatefulSet", true};
inline constexpr Resource kVolumeAttachments{"apis/storage.k8s.io/v1", "volumeattachments",
                                             "VolumeAttachment", false};
inline constexpr Resource kCsiNodes{"apis/storage.k8s.io/v1", "csinodes", "CSINode", false};
inline constexpr Resource kLeases{"apis/coordination.k8s.io/v1", "leases", "Lease", true};
inline constexpr Resource kEvents{"apis/events.k8s.io/v1", "events", "Event", true};
/// Of servers that take no Event on a cluster-scoped object in the namespace "default" with the
/// other (1.20), or do not have it.
inline constexpr Resource kCoreEvents{"api/v1", "events", "Event", true};
inline constexpr Resource kNodeRemovals{"apis/noderemoval.dev/v1alpha1", "noderemovals", crd::kKind,
                                        false};

}  // namespace reconcilers::resources
