#pragma once

#include <optional>
#include <string>
#include <vector>

#include "crd/core_types.hpp"
#include "crd/node_removal.hpp"
#include "reconcilers/decision.hpp"

namespace reconcilers {

/// What is said in an Event, and on which objects.
struct EventNote {
  enum class On { Removal, Node, Both } on = On::Removal;
  bool warning = false;
  bool is_end = false;  ///< comes once in the life of a removal, and is not to be missed
  std::string reason;
  std::string action;  ///< what was done, or is to be done, in one word
  std::string note;
  /// What it is about, when it is not to be repeated in other words either. Empty: its words.
  std::string topic{};
  std::optional<crd::PodRef> pod{};  ///< an example of those it is about
};

/// The Events that this change of status is worth: how far the removal has come, what somebody has
/// to do, and the end. Made of what changes only, so that a restart repeats none.
std::vector<EventNote> events_between(const crd::NodeRemoval& before,
                                      const crd::NodeRemovalStatus& after);

/// What the API server accepted of the end of a cancelled or failed removal: that its node is given
/// back, and that it is cancelled. `node`: as it was seen just before; nullopt when it is gone.
std::vector<EventNote> events_of(const crd::NodeRemoval& removal, const std::vector<Action>& done,
                                 const std::optional<crd::Node>& node);

}  // namespace reconcilers
