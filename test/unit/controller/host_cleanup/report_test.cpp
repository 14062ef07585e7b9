#include "controller/host_cleanup/report.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "controller/host_cleanup/steps.hpp"

namespace host_cleanup {
namespace {

using testing::Field;

crd::HostReport full_report(const std::string& detail) {
  crd::HostReport report =
      report_of_failure("0f9a6c1e-6c6f-4a57-8d6e-3e1f3d6f7a11", "Reason", detail);
  for (const auto& step : all_steps()) {
    report.steps.push_back({std::string{step.name}, "Failed", detail});
  }
  return report;
}

TEST(HostReportText, IsReadAsItWasWritten) {
  const auto report = full_report("/var/lib/kubelet/pods is \"busy\"");
  EXPECT_EQ(crd::host_report_from_text(report_text(report)), report);
}

TEST(HostReportText, FitsWhateverTheDetailsAre) {
  for (const std::string& detail :
       {std::string(100'000, 'a'), std::string(5000, '"'), std::string(5000, '\\'),
        std::string(5000, '\n'), std::string(5000, '\xff'), std::string(5000, '\0')}) {
    const auto text = report_text(full_report(detail));
    EXPECT_LE(text.size(), kMaxReport);
    const auto report = crd::host_report_from_text(text);
    ASSERT_TRUE(report) << text;
    EXPECT_EQ(report->steps.size(), all_steps().size());
    EXPECT_EQ(report->reason, "Reason");
    EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; }));
  }
}

TEST(HostReportText, SaysWhatWillBeDoneAndWhatNot) {
  crd::CleanupPlan plan;
  EXPECT_THAT(steps_ahead({}, "Scheduled").front(), Field(&crd::StepReport::result, "Scheduled"));
  EXPECT_EQ(steps_ahead(plan, "Scheduled").back().result, "Skipped") << "no extra paths";
  plan.steps.clear();
  plan.extra_paths = {"/opt/cni"};
  std::vector<std::string> scheduled;
  for (const auto& step : steps_ahead(plan, "Scheduled")) {
    if (step.result == "Scheduled") scheduled.push_back(step.name);
  }
  EXPECT_THAT(scheduled, testing::ElementsAre("Kubelet", "Pods", "Mounts", "ExtraPaths"));
}

}  // namespace
}  // namespace host_cleanup
