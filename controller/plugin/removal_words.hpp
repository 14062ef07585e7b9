#pragma once

#include <string>

#include "crd/node_removal.hpp"

namespace plugin {

/// One word for where the removal is: the reason of Succeeded, or "Cancelling", or "NotSeen" when
/// the operator has not looked at it yet.
std::string status_word(const crd::NodeRemoval& removal);

/// "12/24"; empty before the pods were counted.
std::string pods_word(const crd::NodeRemoval& removal);

/// Name of the node, or "3 nodes" of a selector.
std::string node_word(const crd::NodeRemoval& removal);

/// What a human can do next, or how it ended, as one sentence or more.
std::string next_step(const crd::NodeRemoval& removal);

/// What happened to it, without a time: "jetson DrainBlocked 11/12 blocked=shop/web-0(...)", and
/// with the message of the end. Equal for two states that differ in nothing that matters.
std::string change_line(const crd::NodeRemoval& removal);

/// What creates this object again when it is deleted: "Argo CD", "Flux" or "Helm"; empty: nothing.
std::string manager_of(const crd::NodeRemoval& removal);

}  // namespace plugin
