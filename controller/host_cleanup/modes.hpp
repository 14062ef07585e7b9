#pragma once

#include "controller/host_cleanup/command_line.hpp"

namespace host_cleanup {

/// Exit codes of all modes: 0 clean, handed over or planned; 1 something failed; 2 wrong usage; 75
/// another cleaning runs.
inline constexpr int kClean = 0;
inline constexpr int kFailedExit = 1;
inline constexpr int kWrongUsage = 2;
inline constexpr int kBusy = 75;

int clean_by_hand(const CommandLine& command);
/// Writes a HostReport into /dev/termination-log, and to standard output.
int hand_over(const CommandLine& command);
/// What the unit does that hand_over has started.
int run_unit(const CommandLine& command);

/// Only one process of this machine holds it, until it ends; -1 when another one does.
int take_lock();

}  // namespace host_cleanup
