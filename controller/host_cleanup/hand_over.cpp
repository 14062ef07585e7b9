#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <optional>
#include <string>

#include "controller/host_cleanup/host_namespaces.hpp"
#include "controller/host_cleanup/modes.hpp"
#include "controller/host_cleanup/own_program.hpp"
#include "controller/host_cleanup/preflight.hpp"
#include "controller/host_cleanup/remove_tree.hpp"
#include "controller/host_cleanup/report.hpp"
#include "controller/host_cleanup/state_folder.hpp"
#include "controller/host_cleanup/text.hpp"
#include "controller/host_cleanup/unit_state.hpp"

namespace host_cleanup {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

/// The unit needs as long at most to say whether it can read its Node.
constexpr auto kReadyTimeout = 75s;
/// All steps at their slowest, and the attempts to report; comes on top of the wait for the start.
constexpr auto kWorkTimeout = 3600s;
constexpr auto kLookTimeout = 90s;

/// Open before the namespaces are entered: there is another /dev behind them.
class TerminationLog {
 public:
  TerminationLog() : fd_(::open("/dev/termination-log", O_WRONLY | O_TRUNC | O_CLOEXEC)) {}
  TerminationLog(const TerminationLog&) = delete;
  TerminationLog& operator=(const TerminationLog&) = delete;
  ~TerminationLog() {
    if (fd_ >= 0) ::close(fd_);
  }

  /// Returns the exit code.
  int say(const crd::HostReport& report) const {
    const auto text = report_text(report);
    if (fd_ >= 0) {
      [[maybe_unused]] const auto count = ::write(fd_, text.data(), text.size());
    }
    std::printf("%s\n", text.c_str());
    return report.phase == crd::cleanup_phase::kFailed ? kFailedExit : kClean;
  }

  int fail(const std::string& uid, std::string_view reason, const std::string& message) const {
    return say(report_of_failure(uid, reason, message));
  }

 private:
  int fd_;
};

std::string unit_name(const std::string& removal_uid) {
  return "noderemoval-host-cleanup-" + removal_uid + ".service";
}

bool is_running(const std::string& unit) {
  const auto state = read_unit_state(unit);
  return state && exists(*state) && !is_stopped(*state);
}

/// What ended without changing anything may be tried again.
bool is_over(const std::optional<crd::HostReport>& report) {
  return report && report->reason != reason::kNotStarted &&
         (report->phase == crd::cleanup_phase::kSucceeded ||
          report->phase == crd::cleanup_phase::kFailed);
}

/// Starts the copy of this program in `folder`. It gets all rights of process 1, more than we have.
ToolCall start_call(const std::string& unit, std::chrono::seconds limit, const OwnProgram& program,
                    const StateFolder& folder) {
  ToolCall call{.name = "systemd-run",
                .arguments = {"--unit=" + unit, "--collect", "--quiet",
                              "--description=Cleans this machine of its Kubernetes node",
                              "--property=RuntimeMaxSec=" + std::to_string(limit.count()),
                              "--property=KillMode=control-group", "--property=TimeoutStopSec=30"},
                .timeout = 30s};
  for (auto& word : program.command_in(folder.program())) call.arguments.push_back(std::move(word));
  call.arguments.insert(call.arguments.end(), {"host-cleanup", "--run=" + folder.path().string()});
  return call;
}

/// A machine with SELinux lets a service execute only what is marked as a program.
void mark_as_program(const StateFolder& folder) {
  if (::access("/sys/fs/selinux/enforce", F_OK) != 0) return;
  run_tool({.name = "chcon", .arguments = {"-R", "-t", "bin_t", folder.program().string()}});
}

/// Writes down what is asked for, and copies this program. Returns what went wrong.
std::string prepare(const CommandLine& command, const OwnProgram& program,
                    const StateFolder& folder) {
  if (const auto made = folder.create(); !made) return made.error();
  ::unlink((folder.path() / "result.json").c_str());
  const Request request{.removal_uid = command.removal_uid,
                        .node_name = command.node_name,
                        .node_uid = command.node_uid,
                        .timeout = command.timeout,
                        .arguments = crd::arguments_of(command.plan)};
  if (const auto written = folder.write(request); !written) return written.error();
  if (const auto copied = program.copy_to(folder.program()); !copied) {
    remove_tree(folder.program());  // a part of it, on a full disk
    return copied.error();
  }
  mark_as_program(folder);
  return {};
}

/// Returns what went wrong.
std::string start_unit(const CommandLine& command, const std::string& unit,
                       const OwnProgram& program, const StateFolder& folder) {
  if (auto wrong = prepare(command, program, folder); !wrong.empty()) return wrong;
  const auto limit = command.plan.dry_run ? kLookTimeout : command.timeout + kWorkTimeout;
  const auto started = run_tool(start_call(unit, limit, program, folder));
  // Two of us may have started it at the same time.
  if (started.failure.empty() || is_running(unit)) return {};
  return "systemd-run: " + words_of(started);
}

/// What the unit says first, or what went wrong.
std::expected<crd::HostReport, std::string> wait_for_report(const std::string& unit,
                                                            const StateFolder& folder,
                                                            std::chrono::seconds limit) {
  const auto deadline = Clock::now() + limit;
  for (int i = 0; Clock::now() < deadline; ++i) {
    if (auto report = folder.read_report()) return std::move(*report);
    if (i % 10 == 9 && !is_running(unit) && !folder.read_report()) {
      return std::unexpected("the unit " + unit +
                             " ended before it was ready; see on the machine: journalctl -u " +
                             unit);
    }
    ::usleep(200'000);
  }
  run_tool({.name = "systemctl", .arguments = {"stop", unit}, .timeout = 60s});
  return std::unexpected("the unit " + unit + " was not ready in time and was stopped");
}

/// By a unit that ends at once, as nobody with our rights can read the rules of nftables.
int look_only(const CommandLine& command, const OwnProgram& program, const TerminationLog& log) {
  const StateFolder folder{StateFolder::path_for(command.removal_uid + "-look")};
  const auto unit = "noderemoval-host-look-" + command.removal_uid + ".service";
  auto wrong = start_unit(command, unit, program, folder);
  const auto report = wrong.empty() ? wait_for_report(unit, folder, kLookTimeout)
                                    : std::unexpected(std::move(wrong));
  const auto removed = remove_tree(folder.path());
  ::rmdir(folder.path().parent_path().c_str());  // unless there is another one
  if (!report) return log.fail(command.removal_uid, reason::kNotStarted, report.error());
  if (!removed) return log.fail(command.removal_uid, failure::kToolFailed, removed.error());
  return log.say(*report);
}

int give_work(const CommandLine& command, const OwnProgram& program, const TerminationLog& log) {
  const StateFolder folder{StateFolder::path_for(command.removal_uid)};
  const auto unit = unit_name(command.removal_uid);
  if (!is_running(unit)) {
    if (const auto report = folder.read_report(); is_over(report)) return log.say(*report);
    if (const auto problem = problem_with_machine(command.plan)) {
      return log.fail(command.removal_uid, problem->reason, problem->detail);
    }
    const auto wrong = start_unit(command, unit, program, folder);
    if (!wrong.empty()) return log.fail(command.removal_uid, reason::kNotStarted, wrong);
  }
  const auto report = wait_for_report(unit, folder, kReadyTimeout);
  if (!report) return log.fail(command.removal_uid, reason::kNotStarted, report.error());
  return log.say(*report);
}

}  // namespace

int hand_over(const CommandLine& command) {
  const TerminationLog log;
  const auto program = OwnProgram::open();
  if (!program) {
    return log.fail(command.removal_uid, failure::kUnsupportedHost, program.error());
  }
  if (const auto entered = enter_host_namespaces(); !entered) {
    return log.fail(command.removal_uid, failure::kUnsupportedHost, entered.error());
  }
  if (!command.plan.dry_run) return give_work(command, *program, log);
  if (const auto problem = problem_with_machine(command.plan)) {
    return log.fail(command.removal_uid, problem->reason, problem->detail);
  }
  return look_only(command, *program, log);
}

}  // namespace host_cleanup
