#pragma once

#include "controller/kube_client.hpp"
#include "crd/node_removal.hpp"
#include "reconcilers/decision.hpp"

/// What a removal with a nodeSelector does to the NodeRemovals of its nodes.
namespace reconcilers {

/// Makes the child from the parent's spec as it is now. Fails with Conflict when the parent no
/// longer wants it; succeeds when the child is there already.
controller::awaitable<controller::Result<void>> create_child(controller::KubeClient& client,
                                                             crd::NodeRemoval parent,
                                                             CreateChild child);

controller::awaitable<controller::Result<void>> steer_child(controller::KubeClient& client,
                                                            SteerChild child);

}  // namespace reconcilers
