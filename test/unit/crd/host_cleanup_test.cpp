#include "crd/host_cleanup.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace crd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(HostCleanupWords, NameEveryStepAsTheSpecDoes) {
  for (const auto step : kCleanupSteps) EXPECT_EQ(cleanup_step_of(name_of(step)), step);
  EXPECT_EQ(cleanup_step_of("kubeadmreset"), std::nullopt);
}

TEST(HostCleanupWords, TakeOnlyInterfacesThatACniPluginCanHaveMade) {
  for (const auto* name : {"cni0", "flannel.1", "cali0123456789a", "kube-ipvs0", "_x"}) {
    EXPECT_EQ(problem_with_cni_interface(name), std::nullopt) << name;
  }
  for (const std::string name : {"", "a/b", "a;b", "0123456789abcdef", "eth0", "enp3s0", "wlan0",
                                 "bond0", "br0", "lo", "..", "-x", "a b", "cni0\n"}) {
    EXPECT_NE(problem_with_cni_interface(name), std::nullopt) << name;
  }
  EXPECT_NE(problem_with_cni_interface(std::string(300, 'a')), std::nullopt);
}

TEST(HostCleanupWords, TakeOnlyPathsThatCanBeMeant) {
  for (const auto* path : {"/opt/cni", "/etc/cni/net.d", "/etc/systemd/system/kubelet.service.d",
                           "/usr/lib/cni/x", "/var/lib/calico", "/root/.kube"}) {
    EXPECT_EQ(problem_with_extra_path(path), std::nullopt) << path;
  }
  for (const std::string path :
       {"", "/", "/etc", "etc/cni", "/etc/../x", "/etc/cni/", "/etc//cni", "/etc/cni/*", "/a b/c",
        "/usr/bin", "/usr/bin/env", "/var/lib", "/etc/ssh/sshd_config", "/etc/shadow", "/etc/fstab",
        "/root/.ssh/authorized_keys", "/proc/sys", "/usr/lib/cni", "/a/./b"}) {
    EXPECT_NE(problem_with_extra_path(path), std::nullopt) << path;
  }
}

TEST(HostCleanupWords, GiveTheArgumentsThatDifferFromTheDefault) {
  EXPECT_THAT(arguments_of({}), IsEmpty());
  const CleanupPlan plan{.steps = {CleanupStep::Cni, CleanupStep::Ipvs},
                         .cni_interfaces = {},
                         .extra_paths = {"/opt/a", "/opt/b,c"},
                         .flush_all = true,
                         .dry_run = true};
  EXPECT_THAT(arguments_of(plan),
              ElementsAre("--steps=CNI,IPVS", "--cni-interfaces=", "--extra-path=/opt/a",
                          "--extra-path=/opt/b,c", "--flush-all", "--dry-run"));
}

TEST(HostReports, AreReadAsTheyWereWritten) {
  const HostReport report{.uid = "u-1",
                          .phase = "Failed",
                          .reason = "MountsBusy",
                          .message = "unmount /mnt",
                          .steps = {{"Kubelet", "Done", "stopped"}, {"CNI", "Skipped", ""}}};
  EXPECT_EQ(host_report_from_text(boost::json::serialize(to_json(report))), report);
}

TEST(HostReports, OfAMachineThatCannotBeTrustedAreCutAndCleaned) {
  const auto report =
      host_report_from_text(R"({"phase": "Done\u001b[2J", "steps": [1, {"name": "x", "detail": ")" +
                            std::string(1000, 'y') + R"("}], "more": {}})");
  ASSERT_TRUE(report);
  EXPECT_EQ(report->phase, "Done?[2J");
  ASSERT_EQ(report->steps.size(), 1U);
  EXPECT_EQ(report->steps[0].detail.size(), kMaxStepDetail);
}

TEST(HostReports, AreNothingElse) {
  for (const auto* text : {"", "{", "[]", "{}", R"({"phase": 1})"}) {
    EXPECT_EQ(host_report_from_text(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace crd
