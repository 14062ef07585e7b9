#include "controller/host_cleanup/steps.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

namespace host_cleanup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Outcome succeed(const Context&) { return done("yes"); }
Outcome fail(const Context&) { return failed("Because", "no"); }
Outcome fail_too(const Context&) { return failed("Another", "neither"); }
Outcome throw_something(const Context&) { throw std::runtime_error("no memory"); }

class StepsTest : public testing::Test {
 protected:
  crd::HostReport run(const std::vector<Step>& steps) {
    const Context context{
        .plan = plan_, .facts = facts_, .journal = journal_, .folder = {}, .mark = {}};
    return run_steps(steps, context, "uid", [&](const crd::HostReport& report) {
      published_.push_back(report.phase + " " + std::to_string(report.steps.size()));
    });
  }

  static std::vector<std::string> results(const crd::HostReport& report) {
    std::vector<std::string> found;
    found.reserve(report.steps.size());
    for (const auto& step : report.steps) found.push_back(step.name + " " + step.result);
    return found;
  }

  crd::CleanupPlan plan_;
  KubeletFacts facts_;
  Journal journal_;
  std::vector<std::string> published_;
};

TEST_F(StepsTest, AreDoneInOrderAndPublishedOneByOne) {
  const auto report =
      run({{.name = "A", .carry_out = succeed}, {.name = "B", .carry_out = succeed}});
  EXPECT_EQ(report.uid, "uid");
  EXPECT_EQ(report.phase, "Succeeded");
  EXPECT_EQ(report.reason, "");
  EXPECT_THAT(results(report), ElementsAre("A Done", "B Done"));
  EXPECT_THAT(published_, ElementsAre("Running 0", "Running 1", "Running 2", "Succeeded 2"));
}

TEST_F(StepsTest, AfterOneThatMustSucceedAreNotReached) {
  const auto report = run({{.name = "A", .carry_out = fail, .must_succeed = true},
                           {.name = "B", .carry_out = succeed},
                           {.name = "C", .carry_out = fail_too}});
  EXPECT_EQ(report.phase, "Failed");
  EXPECT_EQ(report.reason, "Because");
  EXPECT_EQ(report.message, "A: no");
  EXPECT_THAT(results(report), ElementsAre("A Failed", "B Skipped", "C Skipped"));
  EXPECT_EQ(report.steps[1].detail, "not reached, as A failed");
}

TEST_F(StepsTest, ThatMayFailStopNothingAndTheFirstFailureIsTheReason) {
  const auto report = run({{.name = "A", .carry_out = fail},
                           {.name = "B", .carry_out = fail_too},
                           {.name = "C", .carry_out = succeed}});
  EXPECT_THAT(results(report), ElementsAre("A Failed", "B Failed", "C Done"));
  EXPECT_EQ(report.phase, "Failed");
  EXPECT_EQ(report.reason, "Because");
}

TEST_F(StepsTest, InADryRunAreAllLookedAt) {
  plan_.dry_run = true;
  const auto report = run({{.name = "A", .carry_out = fail, .must_succeed = true},
                           {.name = "B", .carry_out = succeed}});
  EXPECT_EQ(report.phase, "Planned");
  EXPECT_THAT(results(report), ElementsAre("A Failed", "B Done"));
}

TEST_F(StepsTest, ThatWereNotAskedForAreLeftOut) {
  plan_.steps = {crd::CleanupStep::Cni};
  const auto report = run({{.name = "CNI", .carry_out = succeed, .asked_by = crd::CleanupStep::Cni},
                           {.name = "IPVS", .carry_out = fail, .asked_by = crd::CleanupStep::Ipvs},
                           {.name = "ExtraPaths", .carry_out = fail}});
  EXPECT_THAT(results(report), ElementsAre("CNI Done", "IPVS Skipped", "ExtraPaths Skipped"));
}

TEST_F(StepsTest, FailWhenTheSystemDoesNotGiveWhatTheyNeed) {
  const auto report = run({{.name = "A", .carry_out = throw_something, .must_succeed = true},
                           {.name = "B", .carry_out = succeed}});
  EXPECT_THAT(results(report), ElementsAre("A Failed", "B Skipped"));
  EXPECT_THAT(report.message, HasSubstr("no memory"));
}

TEST(AllSteps, AreInTheOrderThatIsSafe) {
  std::vector<std::string_view> names;
  std::vector<std::string_view> chain;
  for (const auto& step : all_steps()) {
    names.push_back(step.name);
    if (step.must_succeed) chain.push_back(step.name);
  }
  EXPECT_THAT(names, ElementsAre("Kubelet", "Pods", "Mounts", "KubeadmReset", "CNI", "Iptables",
                                 "IPVS", "ExtraPaths"));
  EXPECT_THAT(chain, ElementsAre("Kubelet", "Pods", "Mounts", "KubeadmReset"));
}

}  // namespace
}  // namespace host_cleanup
