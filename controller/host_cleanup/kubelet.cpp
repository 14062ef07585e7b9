#include <unistd.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "controller/host_cleanup/processes.hpp"
#include "controller/host_cleanup/step.hpp"
#include "controller/host_cleanup/text.hpp"
#include "controller/host_cleanup/unit_state.hpp"

namespace host_cleanup {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kDisableTimeout = 60s;
constexpr auto kStopTimeout = 150s;  // systemd itself gives it 90 s, and then kills it
constexpr auto kEndTimeout = 2s;     // systemd has waited for those it knows

/// What is there of the kubelet.
struct Sight {
  std::optional<UnitState> unit;  ///< none: there is no such unit
  std::vector<std::string> processes;

  bool is_off() const {
    return processes.empty() && (!unit || (is_stopped(*unit) && is_disabled(*unit)));
  }
};

std::expected<Sight, std::string> look() {
  Sight sight;
  sight.processes = processes_named("kubelet");
  if (!has_systemd()) {
    if (sight.processes.empty()) return sight;
    return std::unexpected("process " + listed(sight.processes) +
                           " is a kubelet, and systemd is not PID 1 of this machine: stop it as "
                           "it was started");
  }
  auto unit = read_unit_state(kKubeletUnit);
  if (!unit) return std::unexpected(unit.error());
  if (exists(*unit)) sight.unit = std::move(*unit);
  return sight;
}

std::string words_for(const Sight& sight) {
  if (!sight.unit) return "no kubelet.service and no kubelet process";
  return "kubelet.service is " + sight.unit->active + " and " +
         (sight.unit->file.empty() ? "not enabled" : sight.unit->file);
}

std::string what_is_left(const Sight& sight) {
  if (sight.unit && !is_stopped(*sight.unit)) {
    return "kubelet.service is " + sight.unit->active + " after systemctl stop";
  }
  if (!sight.processes.empty()) {
    return "process " + listed(sight.processes) + " named kubelet runs outside kubelet.service";
  }
  if (!sight.unit->started_by.empty()) {
    return "kubelet.service would be started again by " + listed(sight.unit->started_by);
  }
  return "kubelet.service is " + sight.unit->file + " after systemctl disable";
}

/// A process that was told to end may need a moment.
std::expected<Sight, std::string> look_until_off() {
  const auto deadline = Clock::now() + kEndTimeout;
  auto sight = look();
  while (sight && !sight->processes.empty() && Clock::now() < deadline) {
    ::usleep(200'000);
    sight = look();
  }
  return sight;
}

void switch_off(const Context& context) {
  const std::string unit{kKubeletUnit};
  context.run({.name = "systemctl", .arguments = {"disable", unit}, .timeout = kDisableTimeout});
  context.run({.name = "systemctl", .arguments = {"stop", unit}, .timeout = kStopTimeout});
}

}  // namespace

std::string why_kubelet_is_not_off() {
  const auto sight = look();
  if (!sight) return sight.error();
  return sight->is_off() ? "" : what_is_left(*sight);
}

Outcome clean_kubelet(const Context& context) {
  auto sight = look();
  if (!sight) return failed(failure::kUnsupportedHost, sight.error());
  if (sight->is_off()) return nothing_to_do(words_for(*sight));
  if (!sight->unit) return failed(failure::kKubeletRunning, what_is_left(*sight));
  if (context.plan.dry_run) {
    return planned("would stop and disable it: " + words_for(*sight));
  }
  switch_off(context);
  sight = look_until_off();
  if (!sight) return failed(failure::kUnsupportedHost, sight.error());
  if (!sight->is_off()) return failed(failure::kKubeletRunning, what_is_left(*sight));
  return done(words_for(*sight));
}

}  // namespace host_cleanup
