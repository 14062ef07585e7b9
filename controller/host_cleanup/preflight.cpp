#include "controller/host_cleanup/preflight.hpp"

#include <algorithm>
#include <vector>

#include "controller/host_cleanup/text.hpp"
#include "controller/host_cleanup/unit_state.hpp"

namespace host_cleanup {
namespace {

std::vector<std::string> missing_tools(const crd::CleanupPlan& plan) {
  std::vector<std::string> needed{"crictl", "umount"};
  for (const auto step : plan.steps) {
    if (step == crd::CleanupStep::KubeadmReset) needed.emplace_back("kubeadm");
    if (step == crd::CleanupStep::Cni) needed.emplace_back("ip");
  }
  std::erase_if(needed, [](const std::string& tool) { return find_tool(tool).has_value(); });
  return needed;
}

}  // namespace

std::optional<Outcome> problem_with_machine(const crd::CleanupPlan& plan) {
  if (!has_systemd() || !find_tool("systemctl") || !find_tool("systemd-run")) {
    return failed(failure::kUnsupportedHost,
                  "systemd is not PID 1 of this machine, or systemctl and systemd-run are not "
                  "installed; clean it by hand with: noderemoval host-cleanup");
  }
  const auto unit = read_unit_state(kKubeletUnit);
  if (!unit) return failed(failure::kUnsupportedHost, unit.error());
  if (!exists(*unit)) {
    return failed(failure::kUnsupportedHost,
                  "this machine has no kubelet.service; a distribution with another unit, such as "
                  "k3s, has its own program to clean up");
  }
  const auto missing = missing_tools(plan);
  if (!missing.empty()) {
    return failed(failure::kToolMissing, listed(missing) + " is not installed on this machine");
  }
  return std::nullopt;
}

}  // namespace host_cleanup
