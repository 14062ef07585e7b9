#pragma once

#include <expected>
#include <string>
#include <vector>

#include "controller/host_cleanup/nft_tables.hpp"
#include "controller/host_cleanup/tool.hpp"

namespace host_cleanup {

/// One of the four places that iptables may keep rules in.
struct IptablesBackend {
  bool ipv6 = false;
  bool legacy = false;
  std::string tool{};  ///< -save and -restore are added; empty: no tool for it is installed
  std::string name() const {
    return std::string{ipv6 ? "ip6tables" : "iptables"} + (legacy ? "-legacy" : "-nft");
  }
};

/// nft before legacy, with the tools that this machine has for them: those of that name, or the one
/// without a suffix when it is of that kind.
std::vector<IptablesBackend> iptables_backends();

/// Whether there are tables at all. Only looks where looking creates none.
bool has_tables(const IptablesBackend& backend, const std::vector<NftTable>& nft_tables);

/// All rules as iptables-save prints them. Fails with a sentence.
std::expected<std::string, std::string> save_rules(const IptablesBackend& backend);

/// The call of iptables-restore that adds `input` to what is there.
ToolCall restore_call(const IptablesBackend& backend, std::string input);

}  // namespace host_cleanup
