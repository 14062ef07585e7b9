#include "controller/host_cleanup/iptables_plan.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

constexpr std::string_view kAdmin = "CNI-ADMIN";

struct Rule {
  std::string line;
  std::string chain;
  std::string target;
  std::string comment;
};

struct Chain {
  std::string name;
  std::string policy;  ///< "-": it is not built in
};

struct Table {
  std::string name;
  std::vector<Chain> chains;
  std::vector<Rule> rules;
};

struct Save {
  std::vector<Table> tables;
  std::vector<std::string> hidden;
};

Rule rule_of(const std::string& line) {
  Rule rule{.line = line, .chain = {}, .target = {}, .comment = {}};
  const auto words = words_of_rule(line);
  if (words.size() > 1) rule.chain = words[1];
  for (std::size_t i = 2; i + 1 < words.size(); ++i) {
    if (words[i] == "--comment") {
      rule.comment = words[++i];  // which may look like an option
    } else if ((words[i] == "-j" || words[i] == "-g") && rule.target.empty()) {
      rule.target = words[++i];
    }
  }
  return rule;
}

/// Of "# Table `filter' is incompatible, use 'nft' tool."
std::string hidden_table(const std::string& line) {
  if (!line.contains("is incompatible")) return {};
  const auto begin = line.find('`');
  const auto end = line.find('\'');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return "unknown";
  return line.substr(begin + 1, end - begin - 1);
}

std::expected<Save, std::string> parse(std::string_view text) {
  Save save;
  bool in_table = false;
  for (const auto& line : lines_of(text)) {
    if (line.starts_with('*')) {
      if (in_table) break;
      in_table = true;
      save.tables.push_back({.name = line.substr(1), .chains = {}, .rules = {}});
    } else if (line.starts_with('#')) {
      if (auto table = hidden_table(line); !table.empty()) save.hidden.push_back(std::move(table));
    } else if (in_table && line.starts_with(':')) {
      const auto words = words_in(line.substr(1));
      if (words.size() > 1) save.tables.back().chains.push_back({words[0], words[1]});
    } else if (in_table && line.starts_with("-A ")) {
      save.tables.back().rules.push_back(rule_of(line));
    } else if (line == "COMMIT") {
      in_table = false;
    }
  }
  if (in_table) {
    return std::unexpected("table " + save.tables.back().name + " is not printed to its end");
  }
  return save;
}

bool is_comment_of_plugin(std::string_view comment) {
  if (comment == "flanneld masq" || comment == "flanneld forward") return true;
  constexpr std::string_view kCalico = "cali:";
  if (!comment.starts_with(kCalico) || comment.size() != kCalico.size() + 16) return false;
  return std::ranges::all_of(comment.substr(kCalico.size()), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

/// Chains of the table that go.
std::set<std::string> owned_chains(const Table& table) {
  std::set<std::string> owned;
  for (const auto& chain : table.chains) {
    if (chain.policy == "-" && is_chain_of_kubernetes(chain.name)) owned.insert(chain.name);
  }
  const bool has_admin =
      std::ranges::find(table.chains, kAdmin, &Chain::name) != table.chains.end();
  const bool used = std::ranges::any_of(table.rules, [](const Rule& rule) {
    return rule.chain == kAdmin && !is_chain_of_kubernetes(rule.target);
  });
  if (has_admin && !used) owned.insert(std::string{kAdmin});
  return owned;
}

void add_removal(const Table& table, RulesPlan& plan) {
  const auto owned = owned_chains(table);
  std::string rules;
  std::size_t count = 0;
  for (const auto& rule : table.rules) {
    if (owned.contains(rule.chain)) continue;
    if (!owned.contains(rule.target) && !is_comment_of_plugin(rule.comment)) continue;
    rules += "-D" + rule.line.substr(2) + "\n";
    ++count;
  }
  if (owned.empty() && count == 0) return;
  plan.input += "*" + table.name + "\n";
  // Naming a chain empties it. One that is referred to cannot be deleted, so that comes last.
  for (const auto& chain : owned) plan.input += ":" + chain + " - [0:0]\n";
  plan.input += rules;
  for (const auto& chain : owned) plan.input += "-X " + chain + "\n";
  plan.input += "COMMIT\n";
  plan.chains += owned.size();
  plan.rules += count;
}

void add_flush(const Table& table, RulesPlan& plan) {
  std::string chains;
  std::string flushes;
  for (const auto& chain : table.chains) {
    const bool user = chain.policy == "-";
    const bool filled =
        std::ranges::find(table.rules, chain.name, &Rule::chain) != table.rules.end();
    if (user || filled) flushes += "-F " + chain.name + "\n";
    if (!user) continue;
    chains += "-X " + chain.name + "\n";
    ++plan.chains;
  }
  if (flushes.empty()) return;
  plan.rules += table.rules.size();
  plan.input += "*" + table.name + "\n" + flushes + chains + "COMMIT\n";
}

std::expected<RulesPlan, std::string> plan_with(std::string_view save,
                                                void (*add)(const Table&, RulesPlan&)) {
  auto parsed = parse(save);
  if (!parsed) return std::unexpected(parsed.error());
  RulesPlan plan;
  plan.hidden_tables = std::move(parsed->hidden);
  for (const auto& table : parsed->tables) add(table, plan);
  return plan;
}

}  // namespace

bool is_chain_of_kubernetes(std::string_view name) {
  if (name == kAdmin) return false;
  constexpr std::array<std::string_view, 4> kPrefixes{"KUBE-", "CNI-", "FLANNEL", "cali-"};
  return std::ranges::any_of(kPrefixes,
                             [&](std::string_view prefix) { return name.starts_with(prefix); });
}

std::vector<std::string> words_of_rule(std::string_view line) {
  std::vector<std::string> words;
  std::string word;
  bool any = false;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '\\' && i + 1 < line.size()) {
      word += line[++i];
    } else if (c == '"') {
      quoted = !quoted;
      any = true;
    } else if (c == ' ' && !quoted) {
      if (any || !word.empty()) words.push_back(std::move(word));
      word.clear();
      any = false;
    } else {
      word += c;
    }
  }
  if (any || !word.empty()) words.push_back(std::move(word));
  return words;
}

std::expected<RulesPlan, std::string> plan_removal(std::string_view save) {
  return plan_with(save, add_removal);
}

std::expected<RulesPlan, std::string> plan_flush(std::string_view save) {
  return plan_with(save, add_flush);
}

std::vector<std::string> chains_that_would_close(std::string_view save) {
  std::vector<std::string> found;
  const auto parsed = parse(save);
  if (!parsed) return found;
  for (const auto& table : parsed->tables) {
    for (const auto& chain : table.chains) {
      const bool open = chain.policy == "-" || chain.policy == "ACCEPT";
      if (!open && chain.name != "FORWARD") found.push_back(table.name + " " + chain.name);
    }
  }
  return found;
}

}  // namespace host_cleanup
