#include "controller/host_cleanup/iptables_backend.hpp"

#include <chrono>

#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

using namespace std::chrono_literals;

constexpr auto kTimeout = 30s;
constexpr auto kRestoreTimeout = 120s;  // 20000 chains take 9 s
constexpr std::size_t kMaxRules = std::size_t{64} * 1024 * 1024;

bool has_both(const std::string& tool) {
  return find_tool(tool + "-save").has_value() && find_tool(tool + "-restore").has_value();
}

/// Those before 1.8 know one kind, and say nothing of it.
bool is_legacy(const std::string& tool) {
  const auto version = run_tool({.name = tool, .arguments = {"--version"}});
  return !version.output.contains("nf_tables");
}

std::string tool_for(const IptablesBackend& backend) {
  if (has_both(backend.name())) return backend.name();
  const std::string plain = backend.ipv6 ? "ip6tables" : "iptables";
  return has_both(plain) && is_legacy(plain) == backend.legacy ? plain : "";
}

}  // namespace

std::vector<IptablesBackend> iptables_backends() {
  std::vector<IptablesBackend> backends;
  for (const bool legacy : {false, true}) {
    for (const bool ipv6 : {false, true}) {
      backends.push_back({.ipv6 = ipv6, .legacy = legacy});
      backends.back().tool = tool_for(backends.back());
    }
  }
  return backends;
}

bool has_tables(const IptablesBackend& backend, const std::vector<NftTable>& nft_tables) {
  if (backend.legacy) {
    const auto names =
        read_kernel_file(backend.ipv6 ? "/proc/net/ip6_tables_names" : "/proc/net/ip_tables_names");
    return !trimmed(names).empty();
  }
  for (const auto& table : nft_tables) {
    if (is_table_of_iptables(table, backend.ipv6)) return true;
  }
  return false;
}

std::expected<std::string, std::string> save_rules(const IptablesBackend& backend) {
  auto saved = run_tool({.name = backend.tool + "-save",
                         .arguments = {},
                         .timeout = kTimeout,
                         .max_output = kMaxRules});
  if (!saved.failure.empty()) {
    return std::unexpected(backend.tool + "-save: " + words_of(saved));
  }
  return std::move(saved.output);
}

ToolCall restore_call(const IptablesBackend& backend, std::string input) {
  ToolCall call{
      .name = backend.tool + "-restore", .arguments = {"--noflush"}, .timeout = kRestoreTimeout};
  // Older ones do not wait for the lock by themselves, newer ones without a limit.
  if (backend.legacy) call.arguments = {"-w", "10", "--noflush"};
  call.input = std::move(input);
  return call;
}

}  // namespace host_cleanup
