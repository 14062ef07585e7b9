#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

namespace host_cleanup {

/// What to give to iptables-restore --noflush. Each table is one transaction there.
struct RulesPlan {
  std::string input;       ///< empty: nothing to do
  std::size_t chains = 0;  ///< that go
  std::size_t rules = 0;   ///< that go, beside those in the chains
  /// Tables that iptables-nft-save says it cannot show, because nft made something in them that it
  /// has no words for: what is in them is not known.
  std::vector<std::string> hidden_tables;
  bool empty() const { return input.empty(); }
};

/// Whether a chain belongs to Kubernetes or its CNI plugins: KUBE-*, CNI-* but CNI-ADMIN, FLANNEL*,
/// cali-*.
bool is_chain_of_kubernetes(std::string_view name);

/// From what iptables-save prints. Removes
///   - chains that belong to Kubernetes, with all that is in them,
///   - CNI-ADMIN, in which an administrator puts rules of their own, when there are none of those,
///   - rules elsewhere that jump or go to such a chain, or that carry a comment of flannel or
///   Calico,
/// and leaves everything else, of which nothing is written again. Only the target of a rule counts
/// and the whole comment, never a part of one. Fails when the text ends inside a table.
std::expected<RulesPlan, std::string> plan_removal(std::string_view save);

/// Removes all rules and all chains but the built-in ones, whose policies stay.
std::expected<RulesPlan, std::string> plan_flush(std::string_view save);

/// Built-in chains that let nothing through without a rule, and by which the machine itself is
/// reached ("filter INPUT"): without their rules it would be cut off. FORWARD is none of them.
std::vector<std::string> chains_that_would_close(std::string_view save);

/// The words of one rule, without quotes and escapes.
std::vector<std::string> words_of_rule(std::string_view line);

}  // namespace host_cleanup
