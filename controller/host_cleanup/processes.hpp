#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace host_cleanup {

/// A process of this PID namespace that is no zombie.
struct Process {
  pid_t pid = 0;
  std::string name;  ///< at most 15 characters
  std::vector<std::string> arguments;
};

/// Processes in PID namespaces below ours, those of pods and of machines in containers, are not
/// listed: /proc shows them, but they are not this machine's own.
std::vector<Process> processes();

/// The process ids of those of this name.
std::vector<std::string> processes_named(std::string_view name);

/// Whether it watches over a container of Kubernetes: containerd's shim in its namespace k8s.io, or
/// conmon started by CRI-O.
bool is_shim_of_kubernetes(const Process& process);

}  // namespace host_cleanup
