#include "controller/host_cleanup/steps.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>

#include "controller/host_cleanup/report.hpp"
#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

using crd::CleanupStep;
using Clock = std::chrono::steady_clock;

constexpr std::array kSteps{
    Step{.name = "Kubelet", .carry_out = clean_kubelet, .must_succeed = true},
    Step{.name = "Pods", .carry_out = clean_pods, .must_succeed = true},
    Step{.name = "Mounts", .carry_out = clean_mounts, .must_succeed = true},
    Step{.name = "KubeadmReset",
         .carry_out = reset_kubeadm,
         .must_succeed = true,
         .asked_by = CleanupStep::KubeadmReset},
    Step{.name = "CNI", .carry_out = clean_cni, .asked_by = CleanupStep::Cni},
    Step{.name = "Iptables", .carry_out = clean_iptables, .asked_by = CleanupStep::Iptables},
    Step{.name = "IPVS", .carry_out = clean_ipvs, .asked_by = CleanupStep::Ipvs},
    Step{.name = "ExtraPaths", .carry_out = clean_extra_paths},
};

Outcome carry_out(const Step& step, const Context& context) {
  try {
    return step.carry_out(context);
  } catch (const std::exception& error) {
    // Something that the system has to give, such as memory or a file descriptor.
    return failed(failure::kToolFailed, error.what());
  }
}

/// Somebody else may have started one since it was stopped: then the machine is not clean, whatever
/// was done on it.
void look_for_kubelet_again(crd::HostReport& report) {
  if (!report.reason.empty()) return;
  const auto why = why_kubelet_is_not_off();
  if (why.empty()) return;
  report.reason = failure::kKubeletRunning;
  report.message = "it was stopped, and now " + why + "; look for what starts it, then clean again";
}

}  // namespace

std::span<const Step> all_steps() { return kSteps; }

bool is_asked_for(const Step& step, const crd::CleanupPlan& plan) {
  if (step.asked_by) {
    return std::ranges::find(plan.steps, *step.asked_by) != plan.steps.end();
  }
  return step.name != "ExtraPaths" || !plan.extra_paths.empty();
}

crd::HostReport run_steps(std::span<const Step> steps, const Context& context,
                          const std::string& uid,
                          const std::function<void(const crd::HostReport&)>& publish) {
  const bool dry = context.plan.dry_run;
  crd::HostReport report;
  report.uid = uid;
  report.phase = crd::cleanup_phase::kRunning;
  std::string stopped_by;
  const auto add = [&](const Step& step, const Outcome& outcome, Clock::duration time) {
    const bool is_failure = outcome.result == crd::step_result::kFailed;
    if (is_failure && report.reason.empty()) {
      report.reason = outcome.reason;
      report.message = std::string{step.name} + ": " + outcome.detail;
    }
    // A dry run shows all that stands in the way.
    if (is_failure && step.must_succeed && !dry) stopped_by = step.name;
    report.steps.push_back(
        {std::string{step.name}, outcome.result, cut(outcome.detail, crd::kMaxStepDetail)});
    context.journal.write(
        is_failure ? controller::LogLevel::Error : controller::LogLevel::Info, "step",
        {{"step", std::string{step.name}},
         {"result", outcome.result},
         {"reason", outcome.reason},
         {"detail", outcome.detail},
         {"ms",
          std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count())}});
    publish(report);
  };
  publish(report);
  for (const auto& step : steps) {
    const auto begin = Clock::now();
    auto outcome = skipped("not asked for");
    if (is_asked_for(step, context.plan)) {
      outcome = stopped_by.empty() ? carry_out(step, context)
                                   : skipped("not reached, as " + stopped_by + " failed");
    }
    add(step, outcome, Clock::now() - begin);
  }
  if (!dry) look_for_kubelet_again(report);
  const auto end =
      report.reason.empty() ? crd::cleanup_phase::kSucceeded : crd::cleanup_phase::kFailed;
  report.phase = dry ? crd::cleanup_phase::kPlanned : end;
  publish(report);
  return report;
}

ToolResult Context::run(const ToolCall& call) const {
  auto result = run_tool(call);
  std::string line = call.name;
  for (const auto& argument : call.arguments) line += " " + argument;
  journal.write(result.failure.empty() ? controller::LogLevel::Info : controller::LogLevel::Warning,
                "ran a tool",
                {{"command", cut(line, 512)},
                 {"failure", result.failure},
                 {"output", cut(one_line(result.output), 4096)},
                 {"errors", cut(one_line(result.errors), 4096)}});
  return result;
}

}  // namespace host_cleanup
