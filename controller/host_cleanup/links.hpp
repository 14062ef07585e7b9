#pragma once

#include <expected>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace host_cleanup {

/// A network interface.
struct Link {
  std::string name;
  std::string master{};               ///< the bridge or bond that it belongs to; empty: none
  std::vector<std::string> uppers{};  ///< what lies upon it, such as its master or a VLAN
  bool physical = false;  ///< a device of the machine, also a virtual one such as virtio
  std::set<std::string> addresses{};  ///< without those of the link alone (fe80::)
};

/// All interfaces of a network namespace, and by which of them the machine is reached.
struct Network {
  std::vector<Link> links;
  std::set<std::string> default_route;   ///< interfaces
  std::set<std::string> node_addresses;  ///< by which the node is known, as far as known
};

struct LinkPlan {
  std::vector<std::string> remove;   ///< in this order
  std::vector<std::string> flush;    ///< tunl0: the kernel does not let it go, only its addresses
  std::vector<std::string> refused;  ///< "eth0 (it is a physical device)"
};

/// What to do for the interfaces that were named, those of Calico (cali and 11 hexadecimal digits),
/// and the veths that belong to a bridge that goes. Never what the machine is reached by: lo, a
/// physical device, one with a default route, one with an address of the node or of the interface
/// with the default route, and what one of those lies upon. Cilium's are refused: what it loads
/// into the kernel beside them has to go first, by its own clean-up, or the machine can lose its
/// network.
LinkPlan plan_links(const Network& network, const std::vector<std::string>& named);

/// Of /proc/net/route and /proc/net/ipv6_route: interfaces with a default route.
std::set<std::string> default_route_interfaces(std::string_view ipv4, std::string_view ipv6);

/// Of this process. Fails with a sentence.
std::expected<Network, std::string> read_network(const std::vector<std::string>& node_addresses);

bool has_link(std::string_view name);
/// In the usual notation, without those of the link alone.
std::set<std::string> addresses_of(std::string_view interface);

}  // namespace host_cleanup
