#include "controller/host_cleanup/nft_tables.hpp"

#include <gtest/gtest.h>

namespace host_cleanup {
namespace {

TEST(NftTables, OfKubernetesAreKnownByFamilyAndName) {
  EXPECT_TRUE(is_table_of_kubernetes({"ip", "kube-proxy"}));
  EXPECT_TRUE(is_table_of_kubernetes({"ip6", "flannel-ipv6"}));
  EXPECT_FALSE(is_table_of_kubernetes({"ip6", "flannel-ipv4"}));
  EXPECT_FALSE(is_table_of_kubernetes({"inet", "kube-proxy"}));
  EXPECT_FALSE(is_table_of_kubernetes({"ip", "filter"}));
  EXPECT_TRUE(is_table_of_iptables({"ip", "nat"}, false));
  EXPECT_FALSE(is_table_of_iptables({"ip", "nat"}, true));
  EXPECT_FALSE(is_table_of_iptables({"inet", "filter"}, false));
}

}  // namespace
}  // namespace host_cleanup
