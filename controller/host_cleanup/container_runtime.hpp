#pragma once

#include <string>
#include <vector>

#include "controller/host_cleanup/kubelet_facts.hpp"

namespace host_cleanup {

/// A container runtime whose socket is there.
struct Runtime {
  std::string endpoint;
  bool named = false;  ///< by the kubelet; else its socket was found where it usually is
};

/// The one that the kubelet uses; when that is not known or gone, all whose sockets are there.
std::vector<Runtime> runtimes(const KubeletFacts& facts);

/// The path in unix:///path.
std::string socket_of(const std::string& endpoint);

}  // namespace host_cleanup
