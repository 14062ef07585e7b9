#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "controller/host_cleanup/credentials_copy.hpp"
#include "controller/host_cleanup/journal.hpp"
#include "controller/host_cleanup/modes.hpp"
#include "controller/host_cleanup/node_client.hpp"
#include "controller/host_cleanup/remove_tree.hpp"
#include "controller/host_cleanup/report.hpp"
#include "controller/host_cleanup/start_signal.hpp"
#include "controller/host_cleanup/state_folder.hpp"
#include "controller/host_cleanup/steps.hpp"
#include "controller/no_core_dump.hpp"

namespace host_cleanup {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;
using controller::LogLevel;

constexpr auto kPoll = 2s;
constexpr auto kFirstRead = 60s;  ///< the pod that has started us waits for it
constexpr auto kReportTimeout = 600s;
constexpr auto kMaxBackoff = 30s;

/// One cleaning that was handed over.
class Unit {
 public:
  Unit(StateFolder folder, Request request, crd::CleanupPlan plan, Journal& journal)
      : folder_(std::move(folder)),
        request_(std::move(request)),
        plan_(std::move(plan)),
        journal_(journal),
        facts_(folder_.remembered(facts_of_this_machine())),
        credentials_(request_.removal_uid) {
    if (facts_.kubeconfig.empty()) facts_.kubeconfig = kKubeletConf;
    // One that was killed after the reset goes on with what it had copied.
    std::error_code error;
    const bool gone = !std::filesystem::exists(facts_.kubeconfig, error);
    kubeconfig_ = gone ? credentials_.kubeconfig() : std::filesystem::path{facts_.kubeconfig};
  }

  int run() {
    if (plan_.dry_run) return look();
    if (const auto why = wait_for_start(); !why.empty()) return end_without_start(why);
    remember();
    if (take_lock() < 0) {
      return end(report_of_failure(request_.removal_uid, reason::kBusy,
                                   "another cleaning of this machine runs"),
                 kBusy);
    }
    const auto report = carry_out([&](const crd::HostReport& known) { publish(known); });
    const bool clean = report.phase == crd::cleanup_phase::kSucceeded;
    return end(report, clean ? kClean : kFailedExit);
  }

 private:
  void note(LogLevel level, std::string_view message, const std::string& detail) {
    journal_.write(level, message, {{"detail", detail}});
  }

  void publish(const crd::HostReport& report) {
    if (const auto written = folder_.write(report); !written) {
      note(LogLevel::Error, "cannot write the result", written.error());
    }
  }

  int look() {
    const auto node = NodeClient{kubeconfig_, request_.node_name}.get();
    if (node) facts_.addresses = addresses_of_node(*node);
    publish(carry_out([](const crd::HostReport&) {}));
    return kClean;
  }

  crd::HostReport carry_out(const std::function<void(const crd::HostReport&)>& known) {
    const Context context{.plan = plan_,
                          .facts = facts_,
                          .journal = journal_,
                          .folder = folder_.path(),
                          .mark = request_.removal_uid};
    return run_steps(all_steps(), context, request_.removal_uid, known);
  }

  /// "" when it may start, else why it never will.
  std::string wait_for_start() {
    const auto begin = Clock::now();
    const NodeClient client{kubeconfig_, request_.node_name};
    bool seen = false;
    std::string last_error;
    note(LogLevel::Info, "waits for the start", request_.node_name);
    for (;; ::usleep(static_cast<useconds_t>(kPoll / 1us))) {
      const auto node = client.get();
      if (node) {
        const auto signal = start_signal_of(*node, request_);
        if (signal.word == StartSignal::Word::Stop) return signal.why;
        if (!seen) say_ready(addresses_of_node(*node));
        seen = true;
        if (signal.word == StartSignal::Word::Start) return {};
      } else if (node.error().kind == controller::ErrorKind::NotFound) {
        return "there is no Node " + request_.node_name + " any more";
      } else if (node.error().message != std::exchange(last_error, node.error().message)) {
        note(LogLevel::Warning, "cannot read the Node", last_error);
      }
      if (!seen && Clock::now() - begin > kFirstRead) {
        return "cannot read the Node with the kubelet's kubeconfig " + facts_.kubeconfig + ": " +
               last_error;
      }
      if (Clock::now() - begin > request_.timeout) return "the start did not come in time";
    }
  }

  void say_ready(std::vector<std::string> addresses) {
    facts_.addresses = std::move(addresses);
    publish({.uid = request_.removal_uid,
             .phase = std::string{crd::cleanup_phase::kHandedOver},
             .reason = {},
             .message = {},
             .steps = steps_ahead(plan_, crd::step_result::kScheduled)});
  }

  /// What the kubelet takes with it.
  void remember() {
    if (const auto written = folder_.write(facts_); !written) {
      note(LogLevel::Error, "cannot write what is known of the kubelet", written.error());
    }
    const auto copied = credentials_.make(facts_.kubeconfig);
    if (!copied) note(LogLevel::Error, "the result will only be on this machine", copied.error());
  }

  int end_without_start(const std::string& why) {
    note(LogLevel::Info, "ends without having changed anything", why);
    auto report = report_of_failure(request_.removal_uid, reason::kNotStarted, why);
    report.steps = steps_ahead(plan_, crd::step_result::kSkipped);
    publish(report);
    tidy_up();
    return kFailedExit;
  }

  int end(const crd::HostReport& report, int code) {
    publish(report);
    tell_cluster(report);
    tidy_up();
    return code;
  }

  void tell_cluster(const crd::HostReport& report) {
    const NodeClient client{credentials_.kubeconfig(), request_.node_name};
    const auto deadline = Clock::now() + kReportTimeout;
    std::string last_error;
    for (auto wait = 1s; Clock::now() < deadline; wait = std::min(wait * 2, kMaxBackoff)) {
      const auto told = client.annotate(request_.node_uid, crd::kHostCleanupReportAnnotation,
                                        report_text(report));
      if (told) return note(LogLevel::Info, "told the cluster", report.phase);
      if (told.error().message != std::exchange(last_error, told.error().message)) {
        note(LogLevel::Warning, "cannot tell the cluster", last_error);
      }
      // The Node is gone or another one, and will not come back.
      const auto kind = told.error().kind;
      if (kind == controller::ErrorKind::NotFound || kind == controller::ErrorKind::Conflict ||
          kind == controller::ErrorKind::Invalid) {
        return;
      }
      ::usleep(static_cast<useconds_t>(wait / 1us));
    }
  }

  /// The log and the result stay.
  void tidy_up() {
    credentials_.wipe();
    if (const auto removed = remove_tree(folder_.program()); !removed) {
      note(LogLevel::Warning, "cannot delete the copy of this program", removed.error());
    }
  }

  StateFolder folder_;
  Request request_;
  crd::CleanupPlan plan_;
  Journal& journal_;
  KubeletFacts facts_;
  CredentialsCopy credentials_;
  std::filesystem::path kubeconfig_;
};

std::expected<crd::CleanupPlan, std::string> plan_of(const Request& request) {
  std::vector<const char*> arguments{"host-cleanup"};
  for (const auto& argument : request.arguments) arguments.push_back(argument.c_str());
  const auto command = parse_command_line(static_cast<int>(arguments.size()), arguments.data());
  if (!command) return std::unexpected(command.error().text);
  return command->plan;
}

}  // namespace

int run_unit(const CommandLine& command) {
  controller::forbid_core_dumps();  // they would hold the kubelet's key
  StateFolder folder{command.folder};
  Journal journal{folder.log()};
  journal.copy_to_standard_error();
  auto request = folder.read_request();
  auto plan = request ? plan_of(*request) : std::unexpected(request.error());
  if (!plan) {
    journal.write(LogLevel::Error, "cannot read the request", {{"error", plan.error()}});
    return kWrongUsage;
  }
  return Unit{std::move(folder), std::move(*request), std::move(*plan), journal}.run();
}

}  // namespace host_cleanup
