#pragma once

#include "crd/node_removal.hpp"

namespace plugin {

/// What scripts go by. kubectl passes on the exit code of a plugin as it is.
enum class ExitCode {
  Done = 0,           ///< finished well, or the plan is clear
  Error = 1,          ///< usage, connection, and whatever else
  Failed = 2,         ///< the removal has ended with Succeeded=False
  NeedsDecision = 3,  ///< the plan has blockers, or something would keep the removal from beginning
  TimedOut = 4,       ///< --timeout is over and it is still under way
  Refused = 5,        ///< not done without --yes or --delete-anyway
  Gone = 6,           ///< the object was deleted while it was waited for
};

/// As the process ends with it.
constexpr int number(ExitCode code) { return static_cast<int>(code); }

inline constexpr const char* kExitCodesHelp =
    "Exit codes: 0 done (ended well, or the plan is clear); 1 usage, connection or another error; "
    "2 the removal has failed; 3 the plan has blockers, or the removal would not begin; "
    "4 --timeout is over; 5 refused without --yes or --delete-anyway; "
    "6 the object was deleted meanwhile; 130 interrupted";

/// Of a removal that has ended.
ExitCode exit_code_of_end(const crd::NodeRemoval& removal);
/// Of a dry run that has ended. Error when there is no such node.
ExitCode exit_code_of_plan(const crd::NodeRemoval& removal);

}  // namespace plugin
