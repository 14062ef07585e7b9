#include "controller/host_cleanup/command_line.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "controller/arguments.hpp"
#include "controller/host_cleanup/text.hpp"
#include "controller/resource.hpp"

namespace host_cleanup {
namespace {

std::string names_of_steps() {
  std::vector<std::string> names;
  names.reserve(crd::kCleanupSteps.size());
  for (const auto step : crd::kCleanupSteps) names.emplace_back(crd::name_of(step));
  return listed(names);
}

std::string wrong_with_steps(const std::string& value) {
  for (const auto& name : split(value, ',')) {
    if (!crd::cleanup_step_of(name)) {
      return "\"" + name + "\" is no step: one of " + names_of_steps();
    }
  }
  return {};
}

std::string wrong_with_interfaces(const std::string& value) {
  for (const auto& name : split(value, ',')) {
    if (const auto problem = crd::problem_with_cni_interface(name))
      return "\"" + name + "\" " + *problem;
  }
  return {};
}

std::string wrong_with_path(const std::string& value) {
  const auto problem = crd::problem_with_extra_path(value);
  return problem ? "\"" + value + "\" " + *problem : "";
}

std::string wrong_with_uid(const std::string& value) {
  return is_uid(value) ? "" : "\"" + value + "\" is no UID";
}

/// Of names that were checked.
std::vector<crd::CleanupStep> steps_of(const std::string& value) {
  std::vector<crd::CleanupStep> steps;
  for (const auto& name : split(value, ',')) steps.push_back(crd::cleanup_step_of(name).value());
  return crd::in_order(std::move(steps));
}

void describe_plan(CLI::App& app, crd::CleanupPlan& plan) {
  app.add_option_function<std::string>(
         "--steps", [&plan](const std::string& value) { plan.steps = steps_of(value); },
         "What is cleaned beside the kubelet, its pods and its mounts: any of " + names_of_steps() +
             ", with commas between them, in whatever order (default: all)")
      ->check(wrong_with_steps);
  app.add_option_function<std::string>(
         "--cni-interfaces",
         [&plan](const std::string& value) { plan.cni_interfaces = split(value, ','); },
         "Network interfaces that step CNI deletes beside those that only flannel and Calico make "
         "(default: " +
             listed(plan.cni_interfaces) + ")")
      ->check(wrong_with_interfaces);
  app.add_option("--extra-path", plan.extra_paths,
                 "A file or folder to delete with all that is in it; can be given again")
      ->check(wrong_with_path)
      ->allow_extra_args(false);
  app.add_flag(
         "--flush-all", plan.flush_all,
         "Delete ALL rules of iptables and all services of IPVS, not only those of Kubernetes")
      ->check(wrong_with_flag);
  app.add_flag("--dry-run", plan.dry_run, "Only say what would be done")->check(wrong_with_flag);
}

/// What the operator says and people do not.
void describe_hand_over(CLI::App& app, CommandLine& command, bool& hand_over) {
  const std::string group = "Used by the operator and by what it starts";
  app.add_flag("--hand-over", hand_over, "In a pod: give the cleaning to the machine of the pod")
      ->check(wrong_with_flag)
      ->group(group);
  app.add_option("--removal-uid", command.removal_uid, "UID of the NodeRemoval")
      ->check(wrong_with_uid)
      ->group(group);
  app.add_option("--node-name", command.node_name, "Name of the Node")
      ->check([](const std::string& value) {
        const auto name = controller::Name::parse(value);
        return name ? std::string{} : name.error();
      })
      ->group(group);
  app.add_option("--node-uid", command.node_uid, "UID of the Node")
      ->check(wrong_with_uid)
      ->group(group);
  app.add_option_function<std::int64_t>(
         "--timeout",
         [&command](const std::int64_t& value) { command.timeout = std::chrono::seconds{value}; },
         "Seconds to wait for the start")
      ->check(CLI::Range(std::int64_t{1}, crd::kLongestStartWait))
      ->check(wrong_with_number)
      ->default_str(std::to_string(command.timeout.count()))
      ->group(group);
  app.add_option("--run", command.folder, "On the machine: do what is described in this folder")
      ->group(group);
}

/// What no single option can see.
std::string wrong_with(const CommandLine& command) {
  const bool handed =
      !command.removal_uid.empty() || !command.node_name.empty() || !command.node_uid.empty();
  if (command.mode == Mode::HandOver) {
    const bool complete =
        !command.removal_uid.empty() && !command.node_name.empty() && !command.node_uid.empty();
    if (!complete) return "--hand-over needs --removal-uid, --node-name and --node-uid";
    return command.yes ? "--yes is for cleaning by hand" : "";
  }
  if (handed) return "--removal-uid, --node-name and --node-uid are for --hand-over";
  if (command.mode == Mode::Run && !command.folder.is_absolute()) return "--run needs a full path";
  return {};
}

}  // namespace

bool is_uid(std::string_view text) {
  return !text.empty() && text.size() <= 64 && text.front() != '-' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-';
         });
}

std::expected<CommandLine, EarlyExit> parse_command_line(int argc, const char* const* argv) {
  CommandLine command;
  bool hand_over = false;
  CLI::App app{
      "Cleans this machine of a Kubernetes node, so that it can join a cluster again: stops and "
      "disables the kubelet, removes pods and mounts, and does the steps. Needs no cluster. Leaves "
      "a log and the result in /var/lib/noderemoval/by-hand. Exit codes: 0 clean, 1 a step failed, "
      "2 wrong usage, 75 another cleaning runs.",
      "noderemoval host-cleanup"};
  describe_plan(app, command.plan);
  app.add_flag("-y,--yes", command.yes, "Do not ask before anything is changed")
      ->check(wrong_with_flag);
  describe_hand_over(app, command, hand_over);
  if (auto early = parse_arguments(app, argc, argv)) return std::unexpected(*std::move(early));
  if (hand_over) command.mode = Mode::HandOver;
  if (!command.folder.empty()) command.mode = Mode::Run;
  if (hand_over && !command.folder.empty())
    return std::unexpected(usage_error("give --hand-over or --run"));
  if (const auto wrong = wrong_with(command); !wrong.empty())
    return std::unexpected(usage_error(wrong));
  return command;
}

}  // namespace host_cleanup
