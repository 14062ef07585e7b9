#include "controller/host_cleanup/links.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace host_cleanup {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;
using testing::UnorderedElementsAre;

Link link(std::string name) { return {.name = std::move(name)}; }

Network network(std::vector<Link> links) {
  links.push_back({.name = "eth0", .physical = true, .addresses = {"192.0.2.7", "2001:db8::7"}});
  links.push_back(link("lo"));
  return {.links = std::move(links), .default_route = {"eth0"}, .node_addresses = {"198.51.100.7"}};
}

TEST(LinkPlan, TakesTheNamedOnesThatAreThere) {
  const auto plan = plan_links(network({link("cni0"), link("flannel.1"), link("br-admin")}),
                               {"cni0", "flannel.1", "weave"});
  EXPECT_THAT(plan.remove, ElementsAre("cni0", "flannel.1"));
  EXPECT_THAT(plan.refused, IsEmpty());
}

TEST(LinkPlan, TakesThoseOfCalicoByTheirExactForm) {
  const auto plan =
      plan_links(network({link("cali0123456789a"), link("cali0123456789g"), link("cali012345678"),
                          link("calico-admin"), link("caliABCDEF01234"), link("lxc0123456789a")}),
                 {});
  EXPECT_THAT(plan.remove, ElementsAre("cali0123456789a"));
}

TEST(LinkPlan, TakesVethsOnlyWithTheirBridge) {
  const auto plan = plan_links(network({link("cni0"),
                                        {.name = "veth01", .master = "cni0", .uppers = {"cni0"}},
                                        {.name = "veth02", .master = "br-x", .uppers = {"br-x"}},
                                        {.name = "tap0", .master = "cni0", .uppers = {"cni0"}},
                                        link("veth03"),
                                        link("br-x")}),
                               {"cni0"});
  EXPECT_THAT(plan.remove, ElementsAre("cni0", "veth01"));
}

TEST(LinkPlan, RefusesWhatTheMachineIsReachedBy) {
  const auto plan = plan_links(network({{.name = "cni0", .addresses = {"192.0.2.7"}},
                                        {.name = "cni1", .addresses = {"198.51.100.7"}},
                                        {.name = "cni2", .addresses = {"2001:db8::7"}},
                                        {.name = "low", .uppers = {"middle"}},
                                        {.name = "middle", .uppers = {"eth0", "low"}},
                                        {.name = "bridge"},
                                        {.name = "card", .master = "bridge", .physical = true}}),
                               {"cni0", "cni1", "cni2", "low", "bridge", "eth0", "lo", "card"});
  EXPECT_THAT(plan.remove, IsEmpty());
  EXPECT_THAT(plan.refused,
              ElementsAre("cni0 (has the node's address 192.0.2.7)",
                          "cni1 (has the node's address 198.51.100.7)",
                          "cni2 (has the node's address 2001:db8::7)", "low (eth0 lies upon it)",
                          "bridge (card belongs to it)", "eth0 (a physical device)",
                          "lo (the loopback interface)", "card (a physical device)"));
}

TEST(LinkPlan, RefusesABridgeThatHasTheDefaultRoute) {
  auto all = network({link("cni0")});
  all.default_route = {"cni0"};
  EXPECT_THAT(plan_links(all, {"cni0"}).refused, ElementsAre("cni0 (has the default route)"));
}

TEST(LinkPlan, LeavesThoseOfCiliumToIt) {
  const auto plan =
      plan_links(network({link("cilium_host"), link("cilium_net"), link("cni0")}), {"cni0"});
  EXPECT_THAT(plan.remove, ElementsAre("cni0"));
  EXPECT_THAT(plan.refused,
              ElementsAre(StartsWith("cilium_host (Cilium"), StartsWith("cilium_net (Cilium")));
}

TEST(LinkPlan, OnlyFlushesTheTunnelThatTheKernelKeeps) {
  Link tunnel{.name = "tunl0", .addresses = {"10.244.3.0"}};
  auto plan = plan_links(network({tunnel}), {"tunl0"});
  EXPECT_THAT(plan.flush, ElementsAre("tunl0"));
  EXPECT_THAT(plan.remove, IsEmpty());
  tunnel.addresses.clear();
  plan = plan_links(network({tunnel}), {"tunl0"});
  EXPECT_THAT(plan.flush, IsEmpty());
}

TEST(DefaultRoute, IsFoundInTheTablesOfTheKernel) {
  const auto* v4 =
      "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
      "eth0\t00000000\t010011AC\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
      "cni0\t0001F40A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
      "tun0\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n";
  const auto* v6 =
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
      "fe800000000000000000000000000001 00000400 00000001 00000000 00000003     wan0\n"
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 "
      "00000000000000000000000000000000 ffffffff 00000001 00000000 00200200       lo\n"
      "fe800000000000000000000000000000 40 00000000000000000000000000000000 00 "
      "00000000000000000000000000000000 00000100 00000001 00000000 00000001     cni0\n";
  EXPECT_THAT(default_route_interfaces(v4, v6), UnorderedElementsAre("eth0", "wan0"));
  EXPECT_THAT(default_route_interfaces("", ""), IsEmpty());
}

TEST(Network, OfThisMachineHasTheLoopbackInterface) {
  const auto all = read_network({});
  ASSERT_TRUE(all) << all.error();
  EXPECT_THAT(all->links, testing::Contains(testing::Field(&Link::name, "lo")));
  EXPECT_TRUE(has_link("lo"));
  EXPECT_FALSE(has_link("no-such-link"));
}

}  // namespace
}  // namespace host_cleanup
