#include "controller/plugin/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <functional>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

#include "controller/arguments.hpp"
#include "controller/plugin/duration.hpp"
#include "controller/plugin/exit_code.hpp"
#include "controller/plugin/selector.hpp"

namespace plugin {
namespace {

using std::chrono::seconds;

constexpr const char* kMoreHelp =
    "kubectl noderemoval --help describes the flags for connection and output, and the exit codes.";
constexpr std::chrono::seconds kLongestRequest{3600};

void add_flag(CLI::App& app, const std::string& name, bool& target, const std::string& help) {
  app.add_flag(name, target, help)->check(wrong_with_flag);
}

void add_duration(CLI::App& app, const std::string& name, std::optional<seconds>& target,
                  const std::string& help) {
  app.add_option_function<std::string>(
         name, [&target](const std::string& value) { target = *parse_duration(value); }, help)
      ->check([](const std::string& value) {
        const auto parsed = parse_duration(value);
        return parsed ? std::string{} : parsed.error();
      })
      ->type_name("DURATION");
}

void add_selector(CLI::App& app, const std::string& name, std::string& target,
                  const std::string& help) {
  app.add_option(name, target, help)
      ->check([](const std::string& value) {
        const auto parsed = parse_selector(value);
        return parsed ? std::string{} : parsed.error();
      })
      ->type_name("SELECTOR");
}

/// As a check without a description of its own, which CLI11 would add to the type of the flag.
std::function<std::string(const std::string&)> one_of(const std::vector<std::string>& words) {
  return [words](const std::string& value) {
    if (std::ranges::find(words, value) != words.end()) return std::string{};
    std::string names;
    for (const auto& word : words) names += (names.empty() ? "" : "|") + word;
    return "\"" + value + "\" is not one of " + names;
  };
}

const std::map<std::string, OutputFormat> kFormats{{"table", OutputFormat::Table},
                                                   {"wide", OutputFormat::Wide},
                                                   {"json", OutputFormat::Json},
                                                   {"yaml", OutputFormat::Yaml},
                                                   {"name", OutputFormat::Name}};
const std::map<std::string, ColorWhen> kColors{
    {"auto", ColorWhen::Auto}, {"always", ColorWhen::Always}, {"never", ColorWhen::Never}};
const std::map<std::string, DryRun> kDryRuns{
    {"none", DryRun::None}, {"client", DryRun::Client}, {"server", DryRun::Server}};

/// `words` has to live as long as the app.
template <typename Enum>
void add_choice(CLI::App& app, const std::string& name, Enum& target,
                const std::map<std::string, Enum>& words, const std::string& help) {
  std::vector<std::string> names;
  std::string type;
  for (const auto& [word, value] : words) {
    names.push_back(word);
    type += (type.empty() ? "" : "|") + word;
  }
  app.add_option_function<std::string>(
         name, [&target, &words](const std::string& value) { target = words.at(value); }, help)
      ->check(one_of(names))
      ->type_name(type);
}

std::string wrong_with_max_concurrent(const std::string& value) {
  const bool percent = value.ends_with('%');
  const auto number = percent ? value.substr(0, value.size() - 1) : value;
  int parsed = 0;
  const auto done = std::from_chars(number.data(), number.data() + number.size(), parsed);
  const bool whole = done.ec == std::errc{} && done.ptr == number.data() + number.size();
  if (whole && parsed >= 1 && parsed <= (percent ? 100 : 500)) return {};
  return "\"" + value + "\" is not a number from 1 to 500 or a percentage from 1% to 100%";
}

std::string wrong_with_grace_period(const std::string& value) {
  if (auto wrong = wrong_with_number(value); !wrong.empty()) return wrong;
  if (value == "-1") return {};
  std::int64_t parsed = 0;
  const auto done = std::from_chars(value.data(), value.data() + value.size(), parsed);
  if (done.ec == std::errc{} && parsed >= 1 && parsed <= 2147483647) return {};
  return "\"" + value + "\": give each pod at least 1 second, or -1 for its own grace period";
}

void add_connection(CLI::App& app, Connection& connection) {
  const std::string group = "Connection";
  auto& config = connection.kube_config;
  app.add_option("--kubeconfig", config.kubeconfig,
                 "Kubeconfig file; without it $KUBECONFIG (several files are merged), then "
                 "~/.kube/config, then the files of the pod")
      ->group(group);
  app.add_option("--context", config.context, "Context of the kubeconfig")->group(group);
  app.add_option("--cluster", config.cluster, "Cluster of the kubeconfig")->group(group);
  app.add_option("--user", config.user, "User of the kubeconfig")->group(group);
  app.add_option("--server", config.server, "URL of the API server")->group(group);
  app.add_option("--as", connection.as_user, "User to impersonate")->group(group);
  app.add_option("--as-group", connection.as_groups, "Group to impersonate; may be repeated")
      ->group(group)
      ->allow_extra_args(false);
  add_duration(app, "--request-timeout", connection.request_timeout,
               "Time limit of one request (10s to 30s)");
  add_flag(app, "--insecure-skip-tls-verify", config.insecure_allowed,
           "Accept a kubeconfig that says so; the API server can be anybody");
  app.get_option("--request-timeout")->group(group);
  app.get_option("--insecure-skip-tls-verify")->group(group);
}

void add_output(CLI::App& app, Command& command) {
  add_choice(app, "-o,--output", command.output, kFormats,
             "How to print; wide: list only; name: not of a plan");
  add_choice(app, "--color", command.color, kColors,
             "auto: on a terminal, unless $NO_COLOR is set or TERM=dumb");
  add_flag(app, "-v,--verbose", command.verbose, "Log each request to standard error");
}

/// Flags of plan and start. Those of kubectl drain have their names.
void add_removal(CLI::App& app, RemovalFlags& removal) {
  app.add_option("NODE", removal.node, "Name of the node")->type_name("");
  add_selector(app, "-l,--selector", removal.selector,
               "Every node with these labels, instead of NODE");
  app.add_option("--max-concurrent", removal.max_concurrent,
                 "With -l: nodes at the same time, a number or a percentage (1)")
      ->check(wrong_with_max_concurrent);
  app.add_option("--node-uid", removal.node_uid,
                 "Only the node with this UID; without it that of the node as it is now, if you "
                 "may read nodes");
  add_flag(app, "--force", removal.force, "Also pods that no controller owns");
  add_flag(app, "--delete-emptydir-data", removal.delete_empty_dir_data,
           "Also pods with emptyDir volumes, whose data is lost");
  add_flag(app, "--ignore-daemonsets", removal.ignore_daemon_sets,
           "Leave pods of DaemonSets to go with the node; here this is the default");
  app.add_option("--grace-period", removal.grace_period,
                 "Seconds each pod gets to stop; -1: its own (-1)")
      ->check(wrong_with_grace_period);
  add_duration(app, "--timeout", removal.drain_timeout,
               "Time limit of the drain, then --on-timeout; 0: none (1h)");
  app.add_option("--on-timeout", removal.on_timeout,
                 "Fail, or Delete pods past their budgets (Fail)")
      ->check(one_of({"Fail", "Delete"}))
      ->type_name("Fail|Delete");
  add_flag(app, "--disable-eviction", removal.disable_eviction,
           "Delete pods instead of evicting them, past their budgets");
  add_selector(app, "--pod-selector", removal.pod_selector,
               "Only these pods leave; with --no-delete");
  add_selector(app, "--wait-for-completion", removal.wait_for_completion,
               "These pods are not told to leave but left to finish");
  add_flag(app, "--fenced", removal.fenced,
           "You say that the machine is off, or cut off from network and storage");
  add_flag(app, "--host-cleanup", removal.host_cleanup,
           "Clean the machine before its Node is deleted, so that it can join again");
  add_flag(app, "--no-delete", removal.no_delete, "Cordon and drain only; the Node stays");
  add_flag(app, "--allow-control-plane", removal.allow_control_plane,
           "Also a control-plane node; its etcd member is yours to remove");
}

CLI::App& add_verb(CLI::App& app, Command& command, Verb verb, const std::string& name,
                   const std::string& help) {
  auto* added = app.add_subcommand(name, help);
  added->fallthrough()->footer(kMoreHelp);
  added->parse_complete_callback([&command, verb] { command.verb = verb; });
  return *added;
}

void add_name(CLI::App& app, Command& command) {
  app.add_option("REMOVAL", command.name, "Name of the NodeRemoval")->required()->type_name("");
}

/// What no single flag can see. Empty when all is well.
std::string wrong_with(const Command& command) {
  const auto& [verb, output] = std::pair{command.verb, command.output};
  if (verb == Verb::Plan || verb == Verb::Start) {
    const auto& removal = command.removal;
    if (removal.node.empty() == removal.selector.empty()) {
      return "give the name of a node, or a selector with -l, and not both";
    }
    if (!removal.selector.empty() && !removal.node_uid.empty()) {
      return "--node-uid pins one node: use it with its name and without -l";
    }
    if (removal.selector.empty() && !removal.max_concurrent.empty()) {
      return "--max-concurrent is for the nodes of a selector: use it with -l";
    }
    if (verb == Verb::Start && !removal.selector.empty() && removal.name.empty()) {
      return "give the NodeRemoval a name with --name; with -l there is no node to name it after";
    }
  }
  const bool table = output == OutputFormat::Table;
  if (output == OutputFormat::Wide && verb != Verb::List) return "-o wide is for list only";
  if (output == OutputFormat::Name && verb == Verb::Plan) return "a plan has no name: -o name";
  if (command.watch && !table) return "--watch shows what happens: use it without -o";
  if (command.watch && command.dry_run != DryRun::None) {
    return "of a --dry-run there is nothing to --watch";
  }
  if (verb == Verb::Status && command.timeout && !command.wait && !command.watch) {
    return "--timeout is the limit of --wait and --watch: use it with one of them";
  }
  if (!command.connection.as_groups.empty() && command.connection.as_user.empty()) {
    return "--as-group needs --as";
  }
  const auto& limit = command.connection.request_timeout;
  if (limit && (*limit < seconds{1} || *limit > kLongestRequest)) {
    return "--request-timeout must be between 1s and 1h";
  }
  return {};
}

}  // namespace

void describe(CLI::App& app, Command& command) {
  app.description("Removes nodes by NodeRemovals, and shows how far they are.");
  app.footer(kExitCodesHelp);
  app.require_subcommand(1);
  add_connection(app, command.connection);
  add_output(app, command);

  auto& plan = add_verb(app, command, Verb::Plan, "plan",
                        "Show what a removal would do with each pod, and touch nothing");
  add_removal(plan, command.removal);

  auto& start = add_verb(app, command, Verb::Start, "start", "Remove a node");
  add_removal(start, command.removal);
  start.add_option("--name", command.removal.name, "Name of the NodeRemoval (that of the node)");
  add_choice(start, "--dry-run", command.dry_run, kDryRuns,
             "client: print the NodeRemoval only; server: the API server checks it");
  add_flag(start, "-y,--yes", command.yes, "Do not ask");
  add_flag(start, "-w,--watch", command.watch, "Follow it to its end");

  auto& status = add_verb(app, command, Verb::Status, "status", "Show one removal");
  add_name(status, command);
  add_flag(status, "-w,--watch", command.watch, "Follow it to its end");
  add_flag(status, "--wait", command.wait, "Show it when it has ended");
  add_duration(status, "--timeout", command.timeout, "Limit of --wait and --watch (none)");

  add_verb(app, command, Verb::List, "list", "Show all removals");

  auto& cancel = add_verb(app, command, Verb::Cancel, "cancel",
                          "Cancel a removal: its node is given back. Deletes the NodeRemoval");
  add_name(cancel, command);
  add_flag(cancel, "--delete-anyway", command.delete_anyway,
           "Also one that Argo CD, Flux or Helm would create again");
  add_duration(cancel, "--timeout", command.timeout,
               "How long to wait until it is gone; 0: not at all (1m)");

  add_name(add_verb(app, command, Verb::Suspend, "suspend", "Start nothing new; done stays done"),
           command);
  add_name(add_verb(app, command, Verb::Resume, "resume", "Go on after suspend"), command);
  add_verb(app, command, Verb::Version, "version", "Print the version");
  add_verb(app, command, Verb::Completion, "completion",
           "Print a script that completes kubectl-noderemoval in a shell")
      .add_option("SHELL", command.shell, "bash, zsh or fish")
      ->required()
      ->check(one_of({"bash", "zsh", "fish"}))
      ->type_name("");
}

std::expected<Command, EarlyExit> parse_command_line(int argc, const char* const* argv) {
  Command command;
  CLI::App app{"", "kubectl noderemoval"};
  describe(app, command);
  const auto usage_error = [](const std::string& text) {
    return std::unexpected(EarlyExit{
        number(ExitCode::Error), "error: " + text + "\nRun with --help for more information.\n"});
  };
  if (argc < 2) return std::unexpected(EarlyExit{0, app.help()});
  if (const auto wrong = wrong_with_empty_flag(app, argc, argv); !wrong.empty()) {
    return usage_error(wrong);
  }
  try {
    app.parse(arguments_of(argc, argv));
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    if (app.exit(error, out, err) == 0) return std::unexpected(EarlyExit{0, out.str()});
    if (app.get_subcommands().empty()) {
      std::string verbs;
      for (const auto* verb : app.get_subcommands({})) verbs += " " + verb->get_name();
      return usage_error(std::string{argv[1]} + ": give one of the verbs" + verbs);
    }
    return usage_error(error.what());
  }
  if (const auto wrong = wrong_with(command); !wrong.empty()) return usage_error(wrong);
  return command;
}

}  // namespace plugin
