#pragma once

namespace plugin {

/// Whether the program was called as a plugin of kubectl: by the name kubectl-noderemoval, or
/// kubectl_complete-noderemoval.
bool is_called(int argc, const char* const* argv);

/// Does what the command line says; returns the exit code.
int run(int argc, const char* const* argv);

}  // namespace plugin
