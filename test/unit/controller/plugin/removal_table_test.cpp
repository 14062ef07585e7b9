#include "controller/plugin/removal_table.hpp"

#include <gtest/gtest.h>

#include "test/unit/controller/plugin/removals.hpp"

namespace plugin {
namespace {

std::vector<crd::NodeRemoval> some() {
  auto crowded = blocked();
  crowded.status.blockers.push_back(crowded.status.blockers.front());
  crowded.meta.name = "rack2";
  auto group = removal_of(R"("nodeSelector":{"matchLabels":{"pool":"edge"}})",
                          R"("nodes":[{"name":"a"},{"name":"b"}],"conditions":[)" +
                              condition("Succeeded", "Unknown", "RemovingNodes", "1 of 2") + "]");
  group.meta.name = "edge";
  return {group, crowded, removal_of(kJetson, ended_status("True", "NodeRemoved", "All done."))};
}

TEST(RemovalTable, HasALineForEach) {
  EXPECT_EQ(render(removal_table(some(), kNow, false), {.width = 0}),
            "NAME     NODE      STATUS          PODS    BLOCKED BY                           SINCE "
            "  AGE\n"
            "edge     2 nodes   RemovingNodes                                                      "
            "  4m10s\n"
            "rack2    jetson    DrainBlocked    12/24   shop/db-0 (PodDisruptionBudget) +1   2m31s "
            "  4m10s\n"
            "jetson   jetson    NodeRemoved     2/2                                                "
            "  4m10s\n");
}

TEST(RemovalTable, WideAlsoSaysWhy) {
  const auto text = render(removal_table(some(), kNow, true), {.width = 0});
  EXPECT_NE(text.find("AGE     NODE UID   MESSAGE\n"), std::string::npos) << text;
  EXPECT_NE(text.find("4m10s   3f2c9e1a   shop/db-0: budget shop/db needs"), std::string::npos)
      << text;
  EXPECT_NE(text.find("All done.\n"), std::string::npos) << text;
}

TEST(RemovalTable, OfNoneIsItsHeader) {
  EXPECT_EQ(render(removal_table({}, kNow, false), {}),
            "NAME   NODE   STATUS   PODS   BLOCKED BY   SINCE   AGE\n");
}

}  // namespace
}  // namespace plugin
