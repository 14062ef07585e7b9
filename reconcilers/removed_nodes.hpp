#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <string>

#include "reconcilers/observation.hpp"

/// The record of removed nodes: one ConfigMap in the namespace of the operator, with an entry for
/// the last removed node of each name. It outlives the NodeRemovals, so that one that is created
/// again does not remove the node that has joined again.
namespace reconcilers::removed_nodes {

inline constexpr std::string_view kConfigMap = "noderemoval-removed-nodes";

/// From the ConfigMap; entries that cannot be read are left out.
std::map<std::string, RemovedNode> from_config_map(const boost::json::object& config_map);

/// The merge patch of `data` that adds this entry, and drops the oldest ones when there are more
/// than a ConfigMap should hold.
boost::json::object data_patch(const std::map<std::string, RemovedNode>& recorded,
                               const std::string& node, const RemovedNode& entry);

}  // namespace reconcilers::removed_nodes
