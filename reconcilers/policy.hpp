#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace reconcilers {

/// What the operator's options say about every removal. The user's own choices are in the spec.
struct Policy {
  /// The Node is never deleted sooner than this after it was cordoned: a pod may still be bound for
  /// a moment.
  std::chrono::seconds settle{2};
  /// A terminating pod is overdue this long after its deletionTimestamp (which already holds its
  /// grace period).
  std::chrono::seconds overdue_margin{30};
  /// How long to wait for what a deleted Node leaves behind. PodGC removes orphaned pods after 40 s
  /// to 80 s.
  std::chrono::seconds leftovers_timeout{300};
  /// The brake: with at least this many nodes NotReady, and at most `min_healthy_percent` of all
  /// nodes Ready, nothing is forced and no Node is deleted. Both are the rule of the node-lifecycle
  /// controller.
  int brake_min_nodes = 3;
  int min_healthy_percent = 45;
  /// Removals that are under way at the same time in the whole cluster; 0 = no limit.
  int max_concurrent_removals = 0;
  /// Namespace of the operator. The record of removed nodes is kept in it.
  std::string own_namespace = "noderemoval-system";
  /// Namespace of the pods that hand over the cleaning of machines; empty: no machine is cleaned.
  std::string host_cleanup_namespace;
  std::string host_cleanup_image;  ///< of those pods
  /// Further images that a NodeRemoval may name: whoever chooses the image is root on the machine.
  std::vector<std::string> host_cleanup_allowed_images;
  /// namespace/name of the pod this process runs in; empty when it runs in none or does not know.
  std::string own_pod;
};

}  // namespace reconcilers
