#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crd/core_types.hpp"
#include "reconcilers/guards.hpp"
#include "reconcilers/round.hpp"

/// The steps of the flow in their order, each in the file that has its name. A step changes only
/// the decision.
namespace reconcilers {

// accept.cpp
Step accept(Round& round);
/// All guards before the cordon; asks nothing.
std::optional<GuardRefusal> refuse(const Round& round, const std::vector<NodeSummary>& census);
/// Asks which nodes were removed before, when it matters.
Step ask_for_removed_nodes(Round& round);
Step cordon(Round& round);
/// Undoes what a cancelled or failed removal did to the node, then drops the finalizer.
void release(Round& round, bool uncordon);

// drain.cpp: until no pod that has to leave is on the node.
Step remove_pods(Round& round);

// dead_node.cpp: the same for a node that is NotReady.
struct NodePods;
Step remove_pods_of_dead_node(Round& round, const NodePods& pods);
/// Lets Kubernetes detach the volumes of a node that is NotReady and asserted to be off, once it
/// has been NotReady for long enough.
Step detach_from_dead_node(Round& round);
/// Takes our out-of-service taint off a node that is Ready again, or that nobody asserts to be off
/// any more; whatever else stands still.
Step take_back_out_of_service(Round& round);
/// Why a pod that must run at most once is not touched, and what to do.
std::string needs_fencing_message(const std::string& removal);
/// Asks which volumes only one node may use, when one of these pods has a volume and it matters.
Step ask_for_claims(Round& round, const std::vector<crd::Pod>& pods);

// group.cpp: the whole flow of a removal with a nodeSelector.
void remove_selected_nodes(Round& round);
/// Suspends what is under way, because the removal itself stands still.
void hold_selected_nodes(Round& round);

// host_cleanup.cpp: the machine of the node, while the Node still exists.
/// Once its cleaning has begun nothing else is done until the machine has said how it went.
Step await_host_report(Round& round);
/// Has the machine cleaned, when everything else allows to delete the Node.
Step clean_host(Round& round);
/// Sees to it that nothing of the cleaning is left behind, whatever became of it; false as long as
/// it is not known whether there is something.
bool remove_hand_over_pod(Round& round);

// finish.cpp
Step wait_for_migration(Round& round);
Step wait_for_volumes(Round& round);
/// Everything that keeps the Node from being deleted, or its machine from being cleaned.
Step may_delete_node(Round& round);
Step delete_node(Round& round);
Step check_leftovers(Round& round, bool rejoined);
/// The node is gone: no step is under way any more, and no pod is left.
void settle(Round& round);

}  // namespace reconcilers
