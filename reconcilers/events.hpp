#pragma once

#include <string>
#include <vector>

#include "crd/node_removal.hpp"

namespace reconcilers {

/// What is said in an Event on the NodeRemoval.
struct EventNote {
  bool warning = false;
  std::string reason;
  std::string note;
  bool operator==(const EventNote&) const = default;
};

/// The Events that this change of status is worth: somebody has to do something, or the removal has
/// ended. Everything else is in the conditions.
std::vector<EventNote> events_between(const crd::NodeRemoval& before,
                                      const crd::NodeRemovalStatus& after);

}  // namespace reconcilers
