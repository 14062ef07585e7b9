#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "controller/host_cleanup/step.hpp"
#include "crd/host_cleanup.hpp"

namespace host_cleanup {

namespace reason {
/// Ended before anything was changed, for the reason in the message.
inline constexpr std::string_view kNotStarted = "NotStarted";
inline constexpr std::string_view kBusy = "AnotherRuns";
}  // namespace reason

/// Of an annotation and of a termination message, in bytes.
inline constexpr std::size_t kMaxReport = 4000;

/// As JSON of at most kMaxReport bytes of ASCII: details are cut until it fits.
std::string report_text(crd::HostReport report);

/// The steps of a plan before they are done: `result` for those that will be, Skipped for those
/// that were not asked for.
std::vector<crd::StepReport> steps_ahead(const crd::CleanupPlan& plan, std::string_view result);

/// A report of something that went wrong before any step.
crd::HostReport report_of_failure(std::string uid, std::string_view reason, std::string message);

}  // namespace host_cleanup
