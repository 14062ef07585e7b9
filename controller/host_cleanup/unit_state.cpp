#include "controller/host_cleanup/unit_state.hpp"

#include <filesystem>
#include <system_error>

#include "controller/host_cleanup/text.hpp"
#include "controller/host_cleanup/tool.hpp"

namespace host_cleanup {

UnitState unit_state_of(std::string_view text) {
  UnitState unit;
  for (const auto& line : lines_of(text)) {
    const auto equals = line.find('=');
    if (equals == std::string::npos) continue;
    const auto key = line.substr(0, equals);
    const auto value = line.substr(equals + 1);
    if (key == "LoadState") unit.load = value;
    if (key == "ActiveState") unit.active = value;
    if (key == "UnitFileState") unit.file = value;
    if (key == "WantedBy" || key == "RequiredBy" || key == "TriggeredBy" || key == "UpheldBy") {
      for (auto& name : words_in(value)) unit.started_by.push_back(std::move(name));
    }
  }
  return unit;
}

bool exists(const UnitState& unit) { return !unit.load.empty() && unit.load != "not-found"; }

bool is_stopped(const UnitState& unit) {
  return unit.active == "inactive" || unit.active == "failed";
}

bool is_disabled(const UnitState& unit) {
  if (unit.load == "masked" || unit.file == "masked") return true;
  return !unit.file.starts_with("enabled") && unit.started_by.empty();
}

std::expected<UnitState, std::string> read_unit_state(std::string_view unit) {
  const auto shown =
      run_tool({.name = "systemctl",
                .arguments = {"show", std::string{unit},
                              "--property=LoadState,ActiveState,UnitFileState,WantedBy,"
                              "RequiredBy,UpheldBy,TriggeredBy"}});
  if (!shown.failure.empty()) return std::unexpected("systemctl show: " + words_of(shown));
  auto state = unit_state_of(shown.output);
  if (state.load.empty()) return std::unexpected("systemctl show said nothing of the unit");
  return state;
}

bool has_systemd() {
  std::error_code error;
  return std::filesystem::is_directory("/run/systemd/system", error);
}

}  // namespace host_cleanup
