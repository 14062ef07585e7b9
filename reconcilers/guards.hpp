#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crd/core_types.hpp"
#include "crd/node_removal.hpp"
#include "crd/time.hpp"
#include "reconcilers/observation.hpp"
#include "reconcilers/policy.hpp"

namespace reconcilers {

/// Why a removal may not begin. `final`: it never will (the spec cannot change); otherwise it
/// waits.
struct GuardRefusal {
  std::string reason;
  std::string message;
  bool final = false;
};

/// Guards before the cordon.
std::optional<GuardRefusal> refuse_to_begin(const crd::NodeRemovalSpec& spec, const crd::Node& node,
                                            const std::vector<NodeSummary>& census,
                                            const std::vector<OtherRemoval>& others);

/// Refuses when as many removals as `max_concurrent_removals` allows are under way, or older ones
/// wait for their turn.
std::optional<GuardRefusal> refuse_over_budget(const std::vector<OtherRemoval>& others,
                                               const Policy& policy);

/// Refuses a removal that does not pin its node when a node of that name was removed before and has
/// joined again: the NodeRemoval may be the old one, created again by GitOps.
std::optional<GuardRefusal> refuse_rejoined(const crd::NodeRemovalSpec& spec, const crd::Node& node,
                                            const std::map<std::string, RemovedNode>& removed);

/// The brake: a sentence when so many nodes are NotReady that it is probably the network or this
/// operator, and nothing may be forced or deleted.
std::optional<std::string> brake(const std::vector<NodeSummary>& census, const Policy& policy);

/// Control-plane nodes that must not be deleted: without permission any, with permission the last
/// one.
std::optional<GuardRefusal> refuse_control_plane(const crd::NodeRemovalSpec& spec,
                                                 const crd::Node& node,
                                                 const std::vector<NodeSummary>& census,
                                                 const std::vector<OtherRemoval>& others);

/// A Ready node whose pods could run nowhere else, because no other node is Ready and schedulable.
std::optional<GuardRefusal> refuse_last_schedulable(const crd::Node& node,
                                                    const std::vector<NodeSummary>& census,
                                                    const std::vector<OtherRemoval>& others);

/// From when on a NotReady node may be treated as dead: NotReady for the tolerance by the time in
/// its own condition and by what we have seen ourselves with a clock that ran evenly.
crd::TimePoint dead_at(const crd::Evidence& evidence, const crd::Node& node,
                       const crd::NodeRemovalSpec& spec, crd::WallTime time);

/// From when on the Node may be deleted: no pod is bound any more that did not see the cordon.
crd::TimePoint settled_at(crd::TimePoint cordoned, const Policy& policy, crd::WallTime time);

/// Where somebody asserts that the machine is off: a field of the spec or a taint of the node that
/// is not ours; empty when nobody does.
std::string fenced_by(const crd::NodeRemovalSpec& spec, const crd::Node& node);

/// What the claim annotation of a node says.
struct Claim {
  std::string removal;
  std::string uid;
  bool was_unschedulable = false;
};

/// nullopt when the node carries no claim. A claim that cannot be read counts as somebody else's.
std::optional<Claim> read_claim(const crd::Node& node);

/// The other removal that holds this node, if the holder still exists and is not finished.
std::optional<std::string> held_by_other(const crd::Node& node, const std::string& own_uid,
                                         const std::vector<OtherRemoval>& others);

}  // namespace reconcilers
