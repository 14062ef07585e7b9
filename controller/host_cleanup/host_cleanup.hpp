#pragma once

namespace host_cleanup {

/// Whether the first argument says that this machine is to be cleaned: host-cleanup.
bool is_called(int argc, const char* const* argv);

/// Does what the command line says; returns the exit code. Only for a process that has one thread.
int run(int argc, const char* const* argv);

}  // namespace host_cleanup
