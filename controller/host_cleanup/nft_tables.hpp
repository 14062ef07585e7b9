#pragma once

#include <expected>
#include <string>
#include <vector>

namespace host_cleanup {

/// A table of nftables.
struct NftTable {
  std::string family;  ///< ip, ip6, inet, arp, bridge or netdev
  std::string name;
  bool operator==(const NftTable&) const = default;
};

/// All tables in this network namespace, asked of the kernel itself: the tools that could are not
/// on every machine, and one that only looks may create tables. None when the kernel has no
/// nftables. Fails with a sentence.
std::expected<std::vector<NftTable>, std::string> nft_tables();

/// Whether it belongs to kube-proxy, flannel or Calico as a whole.
bool is_table_of_kubernetes(const NftTable& table);

/// Whether it is one of those that iptables-nft keeps its rules in.
bool is_table_of_iptables(const NftTable& table, bool ipv6);

}  // namespace host_cleanup
