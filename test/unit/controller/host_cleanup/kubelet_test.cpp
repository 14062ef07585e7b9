#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "controller/host_cleanup/kubelet_facts.hpp"
#include "controller/host_cleanup/processes.hpp"
#include "controller/host_cleanup/unit_state.hpp"

namespace host_cleanup {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string no_file(const std::filesystem::path&) { return {}; }

TEST(KubeletFacts, AreReadFromItsFlags) {
  const auto facts = facts_of({"/usr/bin/kubelet", "--kubeconfig=/a", "--root-dir", "/data/kubelet",
                               "--container-runtime-endpoint=/run/crio/crio.sock",
                               "--node-ip=192.0.2.7,2001:db8::7", "--kubeconfig=/b"},
                              no_file);
  EXPECT_EQ(facts.kubeconfig, "/b") << "the last one counts";
  EXPECT_EQ(facts.root_folder, "/data/kubelet");
  EXPECT_EQ(facts.runtime_endpoint, "unix:///run/crio/crio.sock");
  EXPECT_THAT(facts.addresses, ElementsAre("192.0.2.7", "2001:db8::7"));
}

TEST(KubeletFacts, TakeTheRuntimeFromTheConfigurationWhenNoFlagSaysIt) {
  const auto read = [](const std::filesystem::path& path) {
    return path == "/cfg" ? std::string{"kind: KubeletConfiguration\n"
                                        "containerRuntimeEndpoint: \"unix:///run/x.sock\"\n"}
                          : std::string{};
  };
  EXPECT_EQ(facts_of({"kubelet", "--config=/cfg"}, read).runtime_endpoint, "unix:///run/x.sock");
  EXPECT_EQ(facts_of({"kubelet", "--config=/cfg", "--container-runtime-endpoint=unix:///y"}, read)
                .runtime_endpoint,
            "unix:///y");
  EXPECT_EQ(facts_of({"kubelet", "--config=/none"}, read).runtime_endpoint, "");
  for (const auto* text : {"{not yaml", "- a\n- b\n", "containerRuntimeEndpoint: [a]\n", ""}) {
    const auto bad = [&](const std::filesystem::path&) { return std::string{text}; };
    EXPECT_EQ(facts_of({"kubelet", "--config=/cfg"}, bad).runtime_endpoint, "") << text;
  }
}

TEST(KubeletFacts, AreRememberedAndCompleted) {
  const KubeletFacts old{.kubeconfig = "/k",
                         .runtime_endpoint = "unix:///r",
                         .root_folder = "",
                         .addresses = {"192.0.2.7"}};
  EXPECT_EQ(facts_from_text(boost::json::serialize(to_json(old))), old);
  EXPECT_EQ(facts_from_text("nonsense"), KubeletFacts{});
  const auto both = merged(
      {.kubeconfig = "/new", .runtime_endpoint = {}, .root_folder = {}, .addresses = {}}, old);
  EXPECT_EQ(both.kubeconfig, "/new");
  EXPECT_EQ(both.runtime_endpoint, "unix:///r");
}

TEST(UnitState, IsReadFromWhatSystemctlShows) {
  const auto unit = unit_state_of(
      "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nRequiredBy=\n"
      "WantedBy=multi-user.target x.target\nTriggeredBy=kubelet.path\n");
  EXPECT_EQ(unit.load, "loaded");
  EXPECT_TRUE(exists(unit));
  EXPECT_FALSE(is_stopped(unit));
  EXPECT_FALSE(is_disabled(unit));
  EXPECT_THAT(unit.started_by, ElementsAre("multi-user.target", "x.target", "kubelet.path"));
}

TEST(UnitState, IsOffOnlyWhenItIsStoppedAndStaysSo) {
  const auto unit = [](std::string active, std::string file, std::vector<std::string> by = {}) {
    return UnitState{
        .load = "loaded", .active = std::move(active), .file = std::move(file), .started_by = by};
  };
  for (const auto* active : {"active", "activating", "deactivating", "reloading", ""}) {
    EXPECT_FALSE(is_stopped(unit(active, "disabled"))) << active;
  }
  EXPECT_TRUE(is_stopped(unit("failed", "disabled")));
  for (const auto* file : {"enabled", "enabled-runtime"}) {
    EXPECT_FALSE(is_disabled(unit("inactive", file))) << file;
  }
  for (const auto* file : {"disabled", "static", "indirect", "masked", ""}) {
    EXPECT_TRUE(is_disabled(unit("inactive", file))) << file;
  }
  EXPECT_FALSE(is_disabled(unit("inactive", "static", {"x.target"})));
  EXPECT_TRUE(is_disabled(unit("inactive", "masked", {"x.target"})));
  EXPECT_FALSE(exists({.load = "not-found", .active = {}, .file = {}, .started_by = {}}));
  EXPECT_FALSE(exists({}));
}

TEST(Processes, OfThisMachineHaveThisOne) {
  const auto all = processes();
  const auto own = std::ranges::find(all, ::getpid(), &Process::pid);
  ASSERT_NE(own, all.end());
  EXPECT_THAT(own->arguments.front(), testing::HasSubstr("host_cleanup_test"));
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
