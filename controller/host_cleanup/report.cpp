#include "controller/host_cleanup/report.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>

#include "controller/host_cleanup/steps.hpp"
#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

constexpr std::size_t kMaxMessage = 400;

/// What tools print may be anything.
std::string printable(std::string_view text, std::size_t limit) {
  auto clean = one_line(text);
  for (char& c : clean) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f) c = '?';
  }
  return cut(clean, limit);
}

}  // namespace

std::string report_text(crd::HostReport report) {
  report.message = printable(report.message, kMaxMessage);
  for (std::size_t limit = crd::kMaxStepDetail;; limit /= 2) {
    for (auto& step : report.steps) step.detail = printable(step.detail, limit);
    auto text = boost::json::serialize(crd::to_json(report));
    if (text.size() <= kMaxReport || limit == 0) return text;
    if (limit <= crd::kMaxStepDetail / 4) report.message = printable(report.message, limit);
  }
}

std::vector<crd::StepReport> steps_ahead(const crd::CleanupPlan& plan, std::string_view result) {
  std::vector<crd::StepReport> steps;
  for (const auto& step : all_steps()) {
    const bool asked = is_asked_for(step, plan);
    steps.push_back({std::string{step.name},
                     std::string{asked ? result : crd::step_result::kSkipped},
                     asked ? "" : "not asked for"});
  }
  return steps;
}

crd::HostReport report_of_failure(std::string uid, std::string_view reason, std::string message) {
  return {.uid = std::move(uid),
          .phase = std::string{crd::cleanup_phase::kFailed},
          .reason = std::string{reason},
          .message = std::move(message),
          .steps = {}};
}

}  // namespace host_cleanup
