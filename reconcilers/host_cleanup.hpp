#pragma once

#include <string>

#include "crd/core_types.hpp"

namespace reconcilers {

/// The machine of this node was told to clean itself for this removal: there is no way back, its
/// kubelet is being stopped.
bool host_cleanup_was_started(const crd::Node& node, const std::string& removal_uid);

}  // namespace reconcilers
