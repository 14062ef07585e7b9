#include "controller/host_cleanup/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace host_cleanup {
namespace {

using namespace std::chrono_literals;
using crd::CleanupStep;
using testing::ElementsAre;
using testing::HasSubstr;

std::expected<CommandLine, EarlyExit> parse(const std::vector<std::string>& arguments) {
  std::vector<const char*> pointers{"host-cleanup"};
  for (const auto& argument : arguments) pointers.push_back(argument.c_str());
  return parse_command_line(static_cast<int>(pointers.size()), pointers.data());
}

std::string error_of(const std::vector<std::string>& arguments) {
  const auto command = parse(arguments);
  if (command) return "no error";
  EXPECT_EQ(command.error().code, 2);
  return command.error().text;
}

TEST(HostCleanupCommandLine, TakesWhatTheOperatorSaysOfEveryPlan) {
  std::vector<crd::CleanupPlan> plans(5);
  plans[1] = {.steps = {CleanupStep::Cni, CleanupStep::Ipvs},
              .cni_interfaces = {"weave", "vxlan.calico"},
              .extra_paths = {"/opt/cni", "/etc/x,y"},
              .flush_all = true,
              .dry_run = true};
  plans[2].cni_interfaces.clear();
  plans[3].steps = {CleanupStep::KubeadmReset};
  plans[4].steps.clear();
  for (const auto& plan : plans) {
    const auto command = parse(crd::arguments_of(plan));
    ASSERT_TRUE(command) << command.error().text;
    EXPECT_EQ(command->plan, plan) << testing::PrintToString(crd::arguments_of(plan));
    EXPECT_EQ(command->mode, Mode::ByHand);
  }
}

TEST(HostCleanupCommandLine, SortsTheSteps) {
  EXPECT_THAT(parse({"--steps=IPVS,KubeadmReset,IPVS"})->plan.steps,
              ElementsAre(CleanupStep::KubeadmReset, CleanupStep::Ipvs));
}

TEST(HostCleanupCommandLine, TakesAHandOver) {
  const auto command = parse({"--hand-over", "--removal-uid=a-1", "--node-name=worker-9",
                              "--node-uid=b-2", "--timeout=90", "--dry-run"});
  ASSERT_TRUE(command) << command.error().text;
  EXPECT_EQ(command->mode, Mode::HandOver);
  EXPECT_EQ(command->removal_uid, "a-1");
  EXPECT_EQ(command->node_name, "worker-9");
  EXPECT_EQ(command->node_uid, "b-2");
  EXPECT_EQ(command->timeout, 90s);
  EXPECT_EQ(parse({"--run=/var/lib/noderemoval/a-1"})->mode, Mode::Run);
}

TEST(HostCleanupCommandLine, SaysWhatIsWrong) {
  EXPECT_THAT(error_of({"--steps=CNI,Reboot"}), HasSubstr("\"Reboot\" is no step"));
  EXPECT_THAT(error_of({"--cni-interfaces=cni0,eth0"}), HasSubstr("\"eth0\" is an interface"));
  EXPECT_THAT(error_of({"--cni-interfaces=" + std::string(300, 'a')}),
              HasSubstr("1 to 15 characters"));
  EXPECT_THAT(error_of({"--extra-path=/etc"}), HasSubstr("two levels"));
  EXPECT_THAT(error_of({"--hand-over", "--removal-uid=a"}), HasSubstr("needs"));
  EXPECT_THAT(error_of({"--removal-uid=../x"}), HasSubstr("is no UID"));
  EXPECT_THAT(error_of({"--removal-uid=a"}), HasSubstr("are for --hand-over"));
  EXPECT_THAT(error_of({"--hand-over", "--run=/x"}), HasSubstr("--hand-over or --run"));
  EXPECT_THAT(error_of({"--run=x"}), HasSubstr("full path"));
  EXPECT_THAT(error_of({"--dry-run="}), HasSubstr("not true or false"));
  EXPECT_THAT(error_of({"--timeout=0"}), HasSubstr("--timeout"));
  EXPECT_THAT(error_of({"stray"}), HasSubstr("stray"));
}

TEST(HostCleanupCommandLine, ExplainsItself) {
  const auto help = parse({"--help"});
  ASSERT_FALSE(help);
  EXPECT_EQ(help.error().code, 0);
  EXPECT_THAT(help.error().text, HasSubstr("--cni-interfaces"));
}

TEST(HostCleanupCommandLine, LetsAUidBeAPartOfAPath) {
  EXPECT_TRUE(is_uid("0f9a6c1e-6c6f-4a57-8d6e-3e1f3d6f7a11"));
  for (const auto* text : {"", ".", "..", "a/b", "-a", "a b", "a.b"}) EXPECT_FALSE(is_uid(text));
  EXPECT_FALSE(is_uid(std::string(65, 'a')));
}

}  // namespace
}  // namespace host_cleanup
