#pragma once

#include <cstddef>
#include <vector>

#include "controller/plugin/line.hpp"
#include "crd/node_removal.hpp"

namespace plugin {

/// One removal as a tree: where it is, its steps, what blocks it, and what to do next. When it has
/// more lines than `max_lines` (0: no limit), blockers are left out first, then the steps that are
/// not under way. Lines may be longer than the look's width, except those of the last paragraph.
std::vector<Line> removal_tree(const crd::NodeRemoval& removal, crd::TimePoint now,
                               const Look& look, std::size_t max_lines = 0);

}  // namespace plugin
