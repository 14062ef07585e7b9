#pragma once

#include <vector>

#include "controller/plugin/line.hpp"
#include "crd/node_removal.hpp"

namespace plugin {

/// What a dry run found: pods grouped by what happens to them and why, and whether the removal
/// would go through.
std::vector<Line> plan_screen(const crd::NodeRemoval& removal, const Look& look);

}  // namespace plugin
