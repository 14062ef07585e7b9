#pragma once

#include "crd/node_removal.hpp"

namespace reconcilers {

/// True when the difference between the two is news (a condition turned, a blocker came or went, an
/// identity was bound) and is to be written at once. Otherwise only numbers and texts differ, and
/// the write may wait for others.
bool is_news(const crd::NodeRemovalStatus& before, const crd::NodeRemovalStatus& after);

}  // namespace reconcilers
