#include "controller/plugin/exit_code.hpp"

#include <gtest/gtest.h>

#include "reconcilers/messages.hpp"
#include "test/unit/controller/plugin/removals.hpp"

namespace plugin {
namespace {

ExitCode of_end(const std::string& status, const std::string& reason) {
  return exit_code_of_end(removal_of(kJetson, ended_status(status, reason, "")));
}

ExitCode of_plan(const std::string& reason, const std::string& message,
                 const std::string& more = "", const std::string& status = "True") {
  return exit_code_of_end(
      removal_of(kJetson + R"(,"dryRun":true)", ended_status(status, reason, message) + more));
}

const std::string kClear = "Nothing was touched. " + std::string{reconcilers::kPlanIsClear};

TEST(ExitCode, OfAnEndSaysWhetherItWentWell) {
  EXPECT_EQ(of_end("True", "NodeRemoved"), ExitCode::Done);
  EXPECT_EQ(of_end("True", "NodeAbsent"), ExitCode::Done);
  EXPECT_EQ(of_end("False", "DrainTimedOut"), ExitCode::Failed);
}

TEST(ExitCode, OfAPlanSaysWhetherItIsClear) {
  EXPECT_EQ(of_plan("Planned", kClear), ExitCode::Done);
  EXPECT_EQ(of_plan("Planned", kClear, R"(,"plan":[{"pod":"a/b","action":"Evict"}])"),
            ExitCode::Done);
  EXPECT_EQ(of_plan("Planned", kClear, R"(,"plan":[{"pod":"a/b","action":"Blocked"}])"),
            ExitCode::NeedsDecision);
  EXPECT_EQ(of_plan("Planned", kClear, R"(,"planOmitted":1)"), ExitCode::NeedsDecision)
      << "nobody knows what happens to that one";
  EXPECT_EQ(of_plan("Planned", "The removal would not begin (NodeProtected): ..."),
            ExitCode::NeedsDecision);
  EXPECT_EQ(of_plan("Refused", "", "", "False"), ExitCode::NeedsDecision);
  EXPECT_EQ(of_plan("NodeAbsent", "There was no Node"), ExitCode::Error) << "a typing error";
}

TEST(ExitCode, OfAPlanForASelectorDoesNotLookAtPods) {
  const auto removal = removal_of(
      R"("nodeSelector":{"matchLabels":{"pool":"edge"}},"dryRun":true)",
      ended_status("True", "Planned", "2 nodes match") + R"(,"nodes":[{"name":"a","uid":"1"}])");
  EXPECT_EQ(exit_code_of_plan(removal), ExitCode::Done);
}

}  // namespace
}  // namespace plugin
