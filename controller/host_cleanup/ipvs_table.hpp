#pragma once

#include <expected>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace host_cleanup {

/// A virtual service of IPVS.
struct VirtualService {
  std::string option;   ///< of ipvsadm: -t, -u or --sctp-service; -f for a firewall mark
  std::string address;  ///< in the usual notation; empty for a mark
  std::string where;    ///< for ipvsadm: "10.96.0.1:443", "[fd00::1]:443", or the mark
  bool operator==(const VirtualService&) const = default;
};

/// Of a text like /proc/net/ip_vs. Fails with a sentence when a service in it cannot be read.
std::expected<std::vector<VirtualService>, std::string> virtual_services_of(std::string_view text);

/// Those of kube-proxy: it puts their addresses on kube-ipvs0. Those of other programs, such as
/// keepalived, have their addresses elsewhere.
std::vector<VirtualService> services_of_kube_proxy(const std::vector<VirtualService>& services,
                                                   const std::set<std::string>& addresses);

}  // namespace host_cleanup
