#include "controller/host_cleanup/ipvs_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace host_cleanup {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kTable =
    "IP Virtual Server version 1.2.1 (size=4096)\n"
    "Prot LocalAddress:Port Scheduler Flags\n"
    "  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
    "TCP  0A600001:01BB rr\n"
    "  -> C0A80002:192B      Masq    1      0          0\n"
    "UDP  0A60000A:0035 rr\n"
    "TCP  C0000207:0050 wlc\n"
    "TCP  [fd00:0000:0000:0000:0000:0000:0000:0001]:01BB rr\n"
    "SCTP 0A600002:0050 rr\n"
    "FWM  00000010 rr\n";

TEST(IpvsTable, ReadsTheServicesForIpvsadm) {
  const auto services = virtual_services_of(kTable);
  ASSERT_TRUE(services) << services.error();
  EXPECT_THAT(*services, ElementsAre(VirtualService{"-t", "10.96.0.1", "10.96.0.1:443"},
                                     VirtualService{"-u", "10.96.0.10", "10.96.0.10:53"},
                                     VirtualService{"-t", "192.0.2.7", "192.0.2.7:80"},
                                     VirtualService{"-t", "fd00::1", "[fd00::1]:443"},
                                     VirtualService{"--sctp-service", "10.96.0.2", "10.96.0.2:80"},
                                     VirtualService{"-f", "", "16"}));
}

TEST(IpvsTable, TakesOnlyServicesWhoseAddressKubeProxyHas) {
  const auto services = *virtual_services_of(kTable);
  EXPECT_THAT(services_of_kube_proxy(services, {"10.96.0.1", "fd00::1"}),
              ElementsAre(VirtualService{"-t", "10.96.0.1", "10.96.0.1:443"},
                          VirtualService{"-t", "fd00::1", "[fd00::1]:443"}));
  EXPECT_THAT(services_of_kube_proxy(services, {}), IsEmpty()) << "those of keepalived";
}

TEST(IpvsTable, IsEmptyWithoutServicesAndAnErrorWhenOneCannotBeRead) {
  EXPECT_THAT(virtual_services_of("")->size(), 0U);
  for (const auto* line : {"TCP nonsense rr\n", "TCP 0A600001 rr\n", "TCP [x]:01BB rr\n",
                           "XYZ 0A600001:01BB rr\n", "TCP 0A6000:01BB rr\n"}) {
    EXPECT_FALSE(virtual_services_of(kTable + line)) << line;
  }
}

}  // namespace
}  // namespace host_cleanup
