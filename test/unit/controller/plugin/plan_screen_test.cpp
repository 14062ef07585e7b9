#include "controller/plugin/plan_screen.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reconcilers/messages.hpp"
#include "test/unit/controller/plugin/removals.hpp"

namespace plugin {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kDryRun = kJetson + R"(,"dryRun":true)";
const std::string kPods = R"(,"nodeUID":"3f2c9e1a","plan":[
    {"pod":"default/debug","action":"Blocked","reason":"UnmanagedPod: no controller owns this pod, so nothing would start it again; delete it yourself, or create the NodeRemoval again with spec.drain.force: true"},
    {"pod":"kube-system/proxy-1","action":"Keep","reason":"DaemonSetPod"},
    {"pod":"shop/web-1","action":"Evict","reason":"Running"},
    {"pod":"shop/web-2","action":"Evict","reason":"Running"},
    {"pod":"shop/web-3","action":"Evict","reason":"Running"},
    {"pod":"shop/web-4","action":"Evict","reason":"Running"},
    {"pod":"shop/job-1","action":"Evict","reason":"Finished"}])";

std::string screen(const std::string& status, const Look& look) {
  return "\n" + render(plan_screen(removal_of(kDryRun, status), look), look);
}

TEST(PlanScreen, GroupsPodsAndPutsWhatBlocksLast) {
  const auto status =
      ended_status("True", "Planned", "Nothing was touched. The plan: 1 Blocked.") + kPods;
  EXPECT_EQ(screen(status, {.width = 80}), R"(
Plan for node jetson  uid 3f2c9e1a
  Evict      4   Running            shop/web-1, shop/web-2, shop/web-3 and 1 ...
  Evict      1   Finished           shop/job-1
  Keep       1   DaemonSetPod       kube-system/proxy-1
  Blocked    1   default/debug
                 UnmanagedPod: no controller owns this pod, so nothing would
                 start it again; delete it yourself, or create the NodeRemoval
                 again with spec.drain.force: true
Result: 1 pod would hold it up, unless you act.
                 Nothing was touched. The plan: 1 Blocked.
)");
  EXPECT_EQ(screen(status, {.width = 200}), R"(
Plan for node jetson  uid 3f2c9e1a
  Evict      4   Running            shop/web-1, shop/web-2, shop/web-3 and 1 more
  Evict      1   Finished           shop/job-1
  Keep       1   DaemonSetPod       kube-system/proxy-1
  Blocked    1   default/debug
                 UnmanagedPod: no controller owns this pod, so nothing would start it again; delete it yourself, or create the NodeRemoval again with spec.drain.force: true
Result: 1 pod would hold it up, unless you act.
                 Nothing was touched. The plan: 1 Blocked.
)");
}

TEST(PlanScreen, SaysThatAllIsClear) {
  const auto text =
      screen(ended_status("True", "Planned", std::string{reconcilers::kPlanIsClear}), {});
  EXPECT_THAT(text, HasSubstr("Result: the removal would go through.\n"));
}

TEST(PlanScreen, SaysThatItWouldNotBegin) {
  EXPECT_THAT(
      screen(ended_status("True", "Planned", "The removal would not begin (NodeProtected)."), {}),
      HasSubstr("Result: it would not begin as it is.\n                 The removal would not "
                "begin (NodeProtected).\n"));
  EXPECT_THAT(screen(ended_status("True", "NodeAbsent", "There was no Node jetson"), {}),
              HasSubstr("Result: there is nothing to remove.\n"));
}

TEST(PlanScreen, CannotSteerTheTerminal) {
  const auto text = screen(ended_status("True", "Planned", "\\u001b[2J") +
                               R"(,"plan":[{"pod":"\u001b/x","action":"\u001b","reason":"\u001b"},
                               {"pod":"a/b","action":"Blocked","reason":"\u001b[2J"}])",
                           {.color = false});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace plugin
