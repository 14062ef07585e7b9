#include "controller/plugin/completion.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plugin {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string completed(const std::vector<std::string>& words) {
  return complete(words, {.nodes = [] { return std::vector<std::string>{"jetson", "worker-1"}; },
                          .removals = [] { return std::vector<std::string>{"old", "jetson-2"}; }});
}

TEST(Completion, KnowsTheVerbs) {
  EXPECT_EQ(completed({"s"}), "start\nstatus\nsuspend\n:4\n");
  EXPECT_THAT(completed({""}), HasSubstr("plan\n"));
  EXPECT_EQ(completed({}), ":4\n");
  EXPECT_EQ(completed({"nonsense", "s"}), "start\nstatus\nsuspend\n:4\n");
}

TEST(Completion, NamesWhatIsInTheCluster) {
  EXPECT_EQ(completed({"start", ""}), "jetson\nworker-1\n:4\n");
  EXPECT_EQ(completed({"plan", "w"}), "worker-1\n:4\n");
  for (const auto* verb : {"status", "cancel", "suspend", "resume"}) {
    EXPECT_EQ(completed({verb, "j"}), "jetson-2\n:4\n") << verb;
  }
  EXPECT_EQ(completed({"start", "jetson", ""}), ":4\n") << "one is enough";
  EXPECT_EQ(completed({"list", ""}), ":4\n");
  EXPECT_EQ(completed({"--context", "status", "start", "--force", "j"}), "jetson\n:4\n")
      << "the value of a flag is no verb";
}

TEST(Completion, KnowsFlagsAndTheirValues) {
  EXPECT_EQ(completed({"start", "--pod"}), "--pod-selector\n:4\n");
  EXPECT_EQ(completed({"start", "--conte"}), "--context\n:4\n");
  EXPECT_THAT(completed({"list", "--"}), Not(HasSubstr("--force")));
  EXPECT_EQ(completed({"list", "-o", "y"}), "yaml\n:4\n");
  EXPECT_EQ(completed({"start", "--dry-run=s"}), "--dry-run=server\n:4\n");
  EXPECT_EQ(completed({"start", "--on-timeout", ""}), "Fail\nDelete\n:4\n");
  EXPECT_EQ(completed({"list", "--kubeconfig", ""}), ":0\n") << "files";
  EXPECT_EQ(completed({"completion", ""}), "bash\nfish\nzsh\n:4\n");
  EXPECT_EQ(completed({"list", "--nonsense=", "x"}), ":4\n");
}

}  // namespace
}  // namespace plugin
