#pragma once

#include <boost/json/array.hpp>

#include "crd/core_types.hpp"
#include "reconcilers/decision.hpp"

namespace reconcilers {

/// The patch that replaces the taints of this version of the node.
SetTaints set_taints(const crd::Node& node, boost::json::array taints);

}  // namespace reconcilers

/// The taints that a removal puts on its node. All functions return complete lists for a patch,
/// with the taints of others as they are.
namespace reconcilers::taints {

/// The cordon's own taint added.
boost::json::array with_removing(const crd::Node& node);
/// node.kubernetes.io/out-of-service added: from 1.26 on Kubernetes itself then clears terminating
/// pods of the node and detaches its volumes. Its value says that it is ours.
boost::json::array with_out_of_service(const crd::Node& node);
boost::json::array without_out_of_service(const crd::Node& node);
/// Both taken off.
boost::json::array without_ours(const crd::Node& node);

bool has_removing(const crd::Node& node);
bool has_our_out_of_service(const crd::Node& node);
/// Set by somebody else, which asserts that the machine is off.
bool has_foreign_out_of_service(const crd::Node& node);

}  // namespace reconcilers::taints
