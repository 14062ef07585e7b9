#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <string>

#include "controller/early_exit.hpp"
#include "crd/host_cleanup.hpp"

namespace host_cleanup {

enum class Mode {
  ByHand,    ///< somebody on the machine cleans it
  HandOver,  ///< in a pod: gives the work to the machine
  Run,       ///< on the machine, as a unit of systemd: does what was handed over
};

struct CommandLine {
  Mode mode = Mode::ByHand;
  crd::CleanupPlan plan;    ///< not of Run
  bool yes = false;         ///< of ByHand: do not ask
  std::string removal_uid;  ///< the rest but the folder is of HandOver
  std::string node_name;
  std::string node_uid;
  std::chrono::seconds timeout{600};  ///< for the start to be allowed
  std::filesystem::path folder;       ///< of Run
};

/// `argv[0]` is the word host-cleanup.
std::expected<CommandLine, EarlyExit> parse_command_line(int argc, const char* const* argv);

/// Letters, digits and "-", at most 64: a UID may be a part of a path and of the name of a unit.
bool is_uid(std::string_view text);

}  // namespace host_cleanup
