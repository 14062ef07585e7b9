#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

#include "controller/host_cleanup/journal.hpp"
#include "controller/host_cleanup/modes.hpp"
#include "controller/host_cleanup/report.hpp"
#include "controller/host_cleanup/state_folder.hpp"
#include "controller/host_cleanup/steps.hpp"
#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

constexpr const char* kLock = "/run/noderemoval.lock";

void print(const crd::StepReport& step) {
  std::printf("%-13s %-12s %s\n", step.name.c_str(), step.result.c_str(),
              one_line(step.detail).c_str());
  std::fflush(stdout);
}

int complain(int code, const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "noderemoval host-cleanup: %s\n", text.c_str());
  return code;
}

bool has_failed(const crd::HostReport& report) { return !report.reason.empty(); }

crd::HostReport look_only(crd::CleanupPlan plan) {
  plan.dry_run = true;
  Journal journal;
  const auto facts = StateFolder{StateFolder::path_for({})}.remembered(facts_of_this_machine());
  const Context context{.plan = plan, .facts = facts, .journal = journal, .folder = {}, .mark = {}};
  auto report = run_steps(all_steps(), context, {}, [](const auto&) {});
  for (const auto& step : report.steps) print(step);
  return report;
}

/// Whether somebody at the terminal wants what was printed.
bool confirmed() {
  std::fputs("Do this on this machine? [y/N] ", stdout);
  std::fflush(stdout);
  std::array<char, 16> answer{};
  if (std::fgets(answer.data(), answer.size(), stdin) == nullptr) return false;
  const auto word = trimmed(answer.data());
  return word == "y" || word == "Y" || word == "yes";
}

int clean(const crd::CleanupPlan& plan) {
  const StateFolder folder{StateFolder::path_for({})};
  if (const auto made = folder.create(); !made) return complain(kFailedExit, made.error());
  Journal journal{folder.log()};
  journal.write(controller::LogLevel::Info, "cleans this machine by hand");
  const auto facts = folder.remembered(facts_of_this_machine());
  std::string problem;
  const auto keep = [&](const auto& what) {
    if (const auto written = folder.write(what); !written) problem = written.error();
  };
  keep(facts);
  const Context context{
      .plan = plan, .facts = facts, .journal = journal, .folder = folder.path(), .mark = "by-hand"};
  std::size_t printed = 0;
  const auto report = run_steps(all_steps(), context, {}, [&](const crd::HostReport& known) {
    keep(known);
    while (printed < known.steps.size()) print(known.steps[printed++]);
  });
  if (!problem.empty()) complain(kFailedExit, problem);
  if (!has_failed(report)) {
    // A next run has nothing of this one to go on with.
    ::unlink((folder.path() / "facts.json").c_str());
    return kClean;
  }
  return complain(kFailedExit, report.reason + ": " + report.message + "\nThe log is " +
                                   folder.log().string() + "; the command can be given again.");
}

}  // namespace

int take_lock() {
  const int fd = ::open(kLock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
  if (fd >= 0) ::close(fd);
  return -1;
}

int clean_by_hand(const CommandLine& command) {
  if (::geteuid() != 0) return complain(kWrongUsage, "must be run as root");
  if (command.plan.dry_run) return has_failed(look_only(command.plan)) ? kFailedExit : kClean;
  if (!command.yes && ::isatty(STDIN_FILENO) == 0) {
    return complain(kWrongUsage,
                    "there is no terminal to ask at: give --yes, or --dry-run to look");
  }
  if (!command.yes) {
    look_only(command.plan);
    if (!confirmed()) return complain(kFailedExit, "nothing was changed");
  }
  if (take_lock() < 0) {
    return complain(kBusy, std::string{"another cleaning of this machine runs, or "} + kLock +
                               " cannot be opened");
  }
  return clean(command.plan);
}

}  // namespace host_cleanup
