#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace host_cleanup {

inline constexpr std::string_view kKubeletUnit = "kubelet.service";

/// What systemd says of a unit.
struct UnitState {
  std::string load;                     ///< such as loaded, not-found, masked
  std::string active;                   ///< such as active, activating, inactive, failed
  std::string file;                     ///< such as enabled, disabled, static; may be empty
  std::vector<std::string> started_by;  ///< units that start it
  bool operator==(const UnitState&) const = default;
};

/// Of the lines KEY=VALUE of `systemctl show`.
UnitState unit_state_of(std::string_view text);

bool exists(const UnitState& unit);
bool is_stopped(const UnitState& unit);
/// Whether it stays off when the machine starts again.
bool is_disabled(const UnitState& unit);

/// Asks systemd. Fails with a sentence when it cannot be asked.
std::expected<UnitState, std::string> read_unit_state(std::string_view unit);

/// Whether systemd is PID 1 of this machine.
bool has_systemd();

}  // namespace host_cleanup
