#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "crd/node_removal.hpp"
#include "reconcilers/policy.hpp"

namespace reconcilers {

/// One name for each removal, so that there is never more than one such pod.
std::string hand_over_pod_name(const crd::NodeRemoval& removal);

/// The pod that hands the cleaning of the machine over to it, as `noderemoval host-cleanup
/// --hand-over` expects it. Bound to the node by name, because the scheduler gives nothing to a
/// cordoned one. `server_minor`: the 36 of Kubernetes 1.36.
boost::json::object hand_over_pod(const crd::NodeRemoval& removal, const Policy& policy,
                                  int server_minor);

/// The pod was made by this operator for its own ends, and goes with the node.
bool is_hand_over_pod(const crd::Pod& pod);

}  // namespace reconcilers
