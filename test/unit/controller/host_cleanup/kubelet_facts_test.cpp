#include "controller/host_cleanup/kubelet_facts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

namespace host_cleanup {
namespace {

using testing::ElementsAre;

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
                         .certificate_folder = "/pki",
                         .addresses = {"192.0.2.7"}};
  EXPECT_EQ(facts_from_text(boost::json::serialize(to_json(old))), old);
  EXPECT_EQ(facts_from_text("nonsense"), KubeletFacts{});
  const auto both = merged({.kubeconfig = "/new",
                            .runtime_endpoint = {},
                            .root_folder = {},
                            .certificate_folder = {},
                            .addresses = {}},
                           old);
  EXPECT_EQ(both.kubeconfig, "/new");
  EXPECT_EQ(both.runtime_endpoint, "unix:///r");
}

}  // namespace
}  // namespace host_cleanup
