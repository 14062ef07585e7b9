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

/// Whether the removal may go on as far as its parent is concerned: true when it has none. A child
/// goes with its parent, also before the garbage collector has come to it.
controller::awaitable<controller::Result<bool>> find_parent(controller::KubeClient& client,
                                                            const crd::NodeRemoval& removal);

controller::awaitable<controller::Result<void>> steer_child(controller::KubeClient& client,
                                                            SteerChild child);

}  // namespace reconcilers
