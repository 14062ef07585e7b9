#pragma once

#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "crd/core_types.hpp"
#include "crd/node_delete_permit.hpp"
#include "crd/node_removal.hpp"
#include "crd/time.hpp"
#include "reconcilers/observation.hpp"
#include "reconcilers/policy.hpp"

namespace reconcilers {

/// Quorum reads made in the step that wants to destroy something. Nothing in here may come from a
/// cache.
struct FreshView {
  crd::NodeRemoval removal;
  crd::Node node;
};

/// The last check before a Node is deleted, on fresh reads only, independent of what decide()
/// believed. It is the only maker of permits. Refusals are sentences for the NodeDeleted condition.
class DeleteGate {
 public:
  static std::expected<crd::NodeDeletePermit, std::string> permit(
      const std::string& removal_uid, const FreshView& fresh, const std::vector<crd::Pod>& pods,
      const std::vector<NodeSummary>& census, const std::vector<OtherRemoval>& others,
      const Policy& policy, crd::WallTime time);
};

/// The check before the machine of the node is told to clean itself, which stops its kubelet and
/// its pods for good: all that is asked before the Node is deleted, the node is Ready, and status
/// says that the cleaning is under way and has time left.
std::expected<void, std::string> may_clean_host(const std::string& removal_uid,
                                                const FreshView& fresh,
                                                const std::vector<crd::Pod>& pods,
                                                const std::vector<NodeSummary>& census,
                                                const std::vector<OtherRemoval>& others,
                                                const Policy& policy, crd::WallTime time);

/// The check before a batch of evictions, on fresh reads: the removal was not cancelled or
/// suspended meanwhile, and the node is still this one, cordoned by us, and Ready.
std::expected<void, std::string> may_evict(const std::string& removal_uid, const FreshView& fresh);

/// The check before pods of a dead node are deleted or cleared, on fresh reads: the removal still
/// wants it, and the node is still this one and NotReady for as long as it has to be. With
/// `needs_fencing` (one of the pods must not run twice) somebody still asserts that the machine is
/// off.
std::expected<void, std::string> may_act_on_dead_node(const std::string& removal_uid,
                                                      const FreshView& fresh,
                                                      const std::vector<NodeSummary>& census,
                                                      bool needs_fencing, const Policy& policy,
                                                      crd::WallTime time);

}  // namespace reconcilers
