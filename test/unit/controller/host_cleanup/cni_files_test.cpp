#include "controller/host_cleanup/cni_files.hpp"

#include <gtest/gtest.h>

namespace host_cleanup {
namespace {

TEST(CniConfig, BelongsToWhoeverItsPluginIsOf) {
  const auto* flannel = R"({"name":"cbr0","plugins":[{"type":"flannel"},{"type":"portmap"}]})";
  EXPECT_EQ(owner_of_config("10-flannel.conflist", flannel), ConfigOwner::Kubernetes);
  EXPECT_EQ(owner_of_config("any", R"({"type":"calico"})"), ConfigOwner::Kubernetes);
  EXPECT_EQ(owner_of_config("calico-kubeconfig", "apiVersion: v1"), ConfigOwner::Kubernetes);
  EXPECT_EQ(owner_of_config("87-podman-bridge.conflist", flannel), ConfigOwner::Other);
  EXPECT_EQ(owner_of_config("any", R"({"name":"podman","type":"bridge"})"), ConfigOwner::Other);
  EXPECT_EQ(owner_of_config("any", R"({"name":"x","nerdctlID":"1","type":"bridge"})"),
            ConfigOwner::Other);
  EXPECT_EQ(owner_of_config("100-crio-bridge.conflist", ""), ConfigOwner::Other);
  EXPECT_EQ(owner_of_config("10-mine.conf", R"({"name":"cni0","type":"bridge"})"),
            ConfigOwner::Unknown);
  EXPECT_EQ(owner_of_config("10-mine.conf", "{no json"), ConfigOwner::Unknown);
  EXPECT_EQ(network_of_config(flannel), "cbr0");
  EXPECT_EQ(network_of_config("nonsense"), "");
}

}  // namespace
}  // namespace host_cleanup
