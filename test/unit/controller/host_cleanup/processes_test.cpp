#include "controller/host_cleanup/processes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace host_cleanup {
namespace {

TEST(Processes, OfThisMachineHaveThisOne) {
  const auto all = processes();
  const auto own = std::ranges::find(all, ::getpid(), &Process::pid);
  ASSERT_NE(own, all.end());
  EXPECT_EQ(own->arguments.front(), program_invocation_name);
}

TEST(Processes, OfKubernetesAreKnownByTheirArguments) {
  const auto process = [](std::vector<std::string> arguments) {
    return Process{.pid = 7, .name = "x", .arguments = std::move(arguments)};
  };
  EXPECT_TRUE(is_shim_of_kubernetes(
      process({"/usr/bin/containerd-shim-runc-v2", "-namespace", "k8s.io", "-id", "77"})));
  EXPECT_TRUE(is_shim_of_kubernetes(
      process({"/usr/bin/conmon", "-b", "/run", "--exit-dir", "/var/run/crio/exits"})));
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {},
           {"/usr/bin/containerd-shim-runc-v2", "-namespace", "moby", "-id", "k8s.io"},
           {"/usr/bin/containerd-shim-runc-v2", "-namespace"},
           {"/usr/bin/conmon", "--exit-dir", "/run/libpod/exits"},
           {"vi", "-namespace", "k8s.io"}}) {
    EXPECT_FALSE(is_shim_of_kubernetes(process(arguments)));
  }
}

}  // namespace
}  // namespace host_cleanup
