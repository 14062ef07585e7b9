#pragma once

#include <expected>
#include <string>

namespace host_cleanup {

/// Enters the namespaces of process 1: mounts, host name, IPC, network, processes of children,
/// cgroups. Only a process with one thread can. Fails with a sentence that names the one that could
/// not be entered, and then some may have been.
std::expected<void, std::string> enter_host_namespaces();

}  // namespace host_cleanup
