#pragma once

#include "test/model/operator.hpp"
#include "test/model/world.hpp"

namespace model {

/// Carries a request out in the world, as a linearizable API server does (measured on 1.36
/// and 1.20: wrong UID or resourceVersion of a DELETE 409, wrong UID in a patch of a Node 422,
/// stale version 409, an eviction that a budget forbids 429, DELETE of a terminating pod shortens
/// its grace only).
Answer serve(World& world, const Request& request);

/// Whether the request would change anything, that is, its preconditions hold.
bool takes_effect(const World& world, const Request& request);

/// Keeps `closed_for` after a change of the node.
void note_cordon(World& world, bool took_pods);

std::optional<std::size_t> pod_named(const World& world, const Request& request);

}  // namespace model
