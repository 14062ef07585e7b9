#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "controller/host_cleanup/step.hpp"
#include "crd/host_cleanup.hpp"

namespace host_cleanup {

struct Step {
  std::string_view name;  ///< in reports
  Outcome (*carry_out)(const Context&) = nullptr;
  /// When it fails nothing after it is tried, for that could erase what is still in use.
  bool must_succeed = false;
  std::optional<crd::CleanupStep> asked_by{};  ///< the step of the plan that it is
};

/// In the order in which they are done.
std::span<const Step> all_steps();

bool is_asked_for(const Step& step, const crd::CleanupPlan& plan);

/// Carries out the steps of context.plan, or only looks in a dry run. `publish` is called at the
/// beginning and after each step with what is known by then. The end is Succeeded or Failed, in a
/// dry run Planned; its reason and message are those of the first failure.
crd::HostReport run_steps(std::span<const Step> steps, const Context& context,
                          const std::string& uid,
                          const std::function<void(const crd::HostReport&)>& publish);

}  // namespace host_cleanup
