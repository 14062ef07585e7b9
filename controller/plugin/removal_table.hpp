#pragma once

#include <vector>

#include "controller/plugin/line.hpp"
#include "crd/node_removal.hpp"

namespace plugin {

/// One line for each removal, and a header. `wide` adds the UID of the node and the message.
std::vector<Line> removal_table(const std::vector<crd::NodeRemoval>& removals, crd::TimePoint now,
                                bool wide);

}  // namespace plugin
