#pragma once

#include <string>

#include "crd/node_removal.hpp"

namespace crd {

/// A short text that differs when anything differs that may not be changed after creation: the
/// whole spec but suspend, unreachable.fenced and ttlSecondsAfterFinished. Fields that have their
/// default leave no trace in it, so that a later version with more fields makes the same text.
std::string fixed_spec_hash(const NodeRemovalSpec& spec);

}  // namespace crd
