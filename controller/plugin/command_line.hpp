#pragma once

#include <CLI/App.hpp>
#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "controller/early_exit.hpp"
#include "controller/kube_config.hpp"

namespace plugin {

enum class Verb { Plan, Start, Status, List, Cancel, Suspend, Resume, Version, Completion };
enum class OutputFormat { Table, Wide, Json, Yaml, Name };
enum class ColorWhen { Auto, Always, Never };
enum class DryRun { None, Client, Server };

/// Which cluster, and as whom.
struct Connection {
  controller::KubeConfigSource kube_config;
  std::string as_user;
  std::vector<std::string> as_groups;
  std::optional<std::chrono::seconds> request_timeout;
};

/// What makes the spec of a NodeRemoval. What was not said is left to the defaults of the API.
struct RemovalFlags {
  std::string node;      ///< exactly one of this
  std::string selector;  ///< and this is set
  std::string name;      ///< of the NodeRemoval; empty: that of the node
  std::string node_uid;
  std::string max_concurrent;
  bool force = false;
  bool delete_empty_dir_data = false;
  bool ignore_daemon_sets = true;
  bool disable_eviction = false;
  std::optional<std::int64_t> grace_period;
  std::optional<std::chrono::seconds> drain_timeout;
  std::string on_timeout;
  std::string pod_selector;
  std::string wait_for_completion;
  bool fenced = false;
  bool host_cleanup = false;
  bool no_delete = false;
  bool allow_control_plane = false;
};

/// The command line, checked.
struct Command {
  Verb verb = Verb::List;
  Connection connection;
  OutputFormat output = OutputFormat::Table;
  ColorWhen color = ColorWhen::Auto;
  bool verbose = false;
  RemovalFlags removal;  ///< of plan and start
  std::string name;      ///< of the NodeRemoval, of the other verbs
  DryRun dry_run = DryRun::None;
  bool yes = false;
  bool watch = false;
  bool wait = false;
  std::optional<std::chrono::seconds> timeout;
  bool delete_anyway = false;
  std::string shell;  ///< of completion
};

/// Adds all verbs and flags, which fill `command`.
void describe(CLI::App& app, Command& command);

std::expected<Command, EarlyExit> parse_command_line(int argc, const char* const* argv);

}  // namespace plugin
