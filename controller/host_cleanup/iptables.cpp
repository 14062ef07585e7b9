#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "controller/host_cleanup/iptables_backend.hpp"
#include "controller/host_cleanup/iptables_plan.hpp"
#include "controller/host_cleanup/nft_tables.hpp"
#include "controller/host_cleanup/step.hpp"
#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;

constexpr int kAttempts = 3;  // somebody else may change a rule between the look and the change

/// What was found and done, over all backends.
struct Sum {
  std::vector<std::string> work;
  std::string problem;
  std::string reason;

  void fail(std::string_view why, std::string text) {
    if (!problem.empty()) return;
    reason = why;
    problem = std::move(text);
  }
};

std::expected<RulesPlan, std::string> plan_for(const Context& context, const std::string& save) {
  return context.plan.flush_all ? plan_flush(save) : plan_removal(save);
}

/// A table that iptables cannot show is looked at by the names of its chains.
std::string problem_with_hidden(const IptablesBackend& backend, const RulesPlan& plan) {
  for (const auto& table : plan.hidden_tables) {
    const std::string family = backend.ipv6 ? "ip6" : "ip";
    const auto listing = run_tool({.name = "nft",
                                   .arguments = {"list", "table", family, table},
                                   .max_output = std::size_t{64} * 1024 * 1024});
    const auto what = "table " + family + " " + table;
    if (!listing.failure.empty()) {
      return what + " is hidden from " + backend.tool + ", and nft: " + words_of(listing);
    }
    for (const auto& line : lines_of(listing.output)) {
      const auto words = words_in(line);
      if (words.size() > 1 && words[0] == "chain" && is_chain_of_kubernetes(words[1])) {
        return what + " has " + words[1] + " beside rules that only nft understands; " +
               "delete the chains of Kubernetes there by hand with nft";
      }
    }
  }
  return {};
}

/// The undo for a human. The first one stays: it is from before any change.
void keep_what_was(const Context& context, const IptablesBackend& backend,
                   const std::string& save) {
  const auto file = context.folder / (backend.name() + ".before");
  std::error_code error;
  if (fs::exists(file, error)) return;
  if (const auto written = write_file(file, save); !written) {
    context.journal.write(controller::LogLevel::Warning, "cannot keep the rules that were there",
                          {{"error", written.error()}});
  }
}

void apply(const Context& context, const IptablesBackend& backend, RulesPlan plan, Sum& sum) {
  const auto work =
      backend.name() + ": " + counted(plan.chains, "chain") + " and " + counted(plan.rules, "rule");
  std::string words;
  for (int i = 0; i < kAttempts && !plan.empty(); ++i) {
    const auto result = context.run(restore_call(backend, plan.input));
    words = words_of(result);
    const auto save = save_rules(backend);
    const auto next = save ? plan_for(context, *save) : std::unexpected(save.error());
    if (!next) return sum.fail(failure::kToolFailed, next.error());
    plan = *next;
  }
  if (plan.empty()) return sum.work.push_back(work);
  sum.fail(failure::kRulesLeft, backend.name() + ": " + counted(plan.chains, "chain") + " and " +
                                    counted(plan.rules, "rule") + " left: " + words);
}

void clean_backend(const Context& context, const IptablesBackend& backend, Sum& sum) {
  if (backend.tool.empty()) {
    return sum.fail(failure::kToolMissing,
                    backend.name() + " is not installed, but there are tables of its kind");
  }
  const auto save = save_rules(backend);
  const auto plan = save ? plan_for(context, *save) : std::unexpected(save.error());
  if (!plan) return sum.fail(failure::kToolFailed, backend.name() + ": " + plan.error());
  if (const auto wrong = problem_with_hidden(backend, *plan); !wrong.empty()) {
    sum.fail(failure::kRulesLeft, wrong);
  }
  if (plan->empty()) return;
  if (context.plan.dry_run) {
    sum.work.push_back(backend.name() + ": " + counted(plan->chains, "chain") + " and " +
                       counted(plan->rules, "rule"));
    return;
  }
  keep_what_was(context, backend, *save);
  apply(context, backend, *plan, sum);
}

void clean_tables(const Context& context, const std::vector<NftTable>& tables, Sum& sum) {
  for (const auto& table : tables) {
    if (!is_table_of_kubernetes(table)) continue;
    const auto name = "table " + table.family + " " + table.name;
    if (!find_tool("nft")) {
      sum.fail(failure::kToolMissing, "nft is not installed, but there is " + name);
      continue;
    }
    if (!context.plan.dry_run) {
      const auto result =
          context.run({.name = "nft", .arguments = {"-f", "-"}, .input = "delete " + name + "\n"});
      const auto left = nft_tables();
      if (!left || std::ranges::find(*left, table) != left->end()) {
        sum.fail(failure::kRulesLeft, name + " is left: " + words_of(result));
        continue;
      }
    }
    sum.work.push_back(name);
  }
}

/// Chains that would leave the machine cut off without their rules.
std::string closed_chains(const std::vector<IptablesBackend>& backends) {
  for (const auto& backend : backends) {
    if (backend.tool.empty()) continue;
    const auto save = save_rules(backend);
    const auto closed = save ? chains_that_would_close(*save) : std::vector<std::string>{};
    if (!closed.empty()) return backend.name() + ": " + listed(closed);
  }
  return {};
}

/// From where rules come back when the machine starts.
std::string saved_rules() {
  for (const std::string file : {"/etc/iptables/rules.v4", "/etc/iptables/rules.v6",
                                 "/etc/sysconfig/iptables", "/etc/sysconfig/ip6tables"}) {
    if (read_kernel_file(file).contains("KUBE-")) return "; " + file + " would bring them back";
  }
  return {};
}

}  // namespace

Outcome clean_iptables(const Context& context) {
  const auto tables = nft_tables();
  if (!tables) return failed(failure::kToolFailed, tables.error());
  auto backends = iptables_backends();
  std::erase_if(backends, [&](const auto& backend) { return !has_tables(backend, *tables); });
  if (context.plan.flush_all) {
    if (const auto closed = closed_chains(backends); !closed.empty()) {
      return failed(failure::kWouldLockOut,
                    "a flush would cut the machine off: policy DROP in " + closed +
                        "; set it to ACCEPT first, or clean without flushAll");
    }
  }
  Sum sum;
  for (const auto& backend : backends) clean_backend(context, backend, sum);
  clean_tables(context, *tables, sum);
  if (!sum.problem.empty()) return failed(sum.reason, sum.problem);
  if (sum.work.empty()) return nothing_to_do("no rules and chains of Kubernetes" + saved_rules());
  if (context.plan.dry_run) return planned("would remove " + listed(sum.work, 150));
  return done("removed " + listed(sum.work, 130) + saved_rules());
}

}  // namespace host_cleanup
