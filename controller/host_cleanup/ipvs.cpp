#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "controller/host_cleanup/ipvs_table.hpp"
#include "controller/host_cleanup/links.hpp"
#include "controller/host_cleanup/step.hpp"
#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kTable = "/proc/net/ip_vs";
constexpr std::string_view kInterface = "kube-ipvs0";

struct Sight {
  bool has_ipvs = false;                 ///< the kernel has it, and has loaded it
  std::vector<VirtualService> services;  ///< that go
  std::size_t others = 0;                ///< that stay
  bool interface = false;
  std::vector<std::string> sets;
};

/// Those of kube-proxy begin with KUBE-.
std::vector<std::string> sets_of_kube_proxy() {
  std::vector<std::string> found;
  // A kernel without IP sets lets it fail, and has none.
  for (auto& name : lines_of(run_tool({.name = "ipset", .arguments = {"list", "-n"}}).output)) {
    if (name.starts_with("KUBE-")) found.push_back(std::move(name));
  }
  return found;
}

std::expected<Sight, std::string> look() {
  Sight sight;
  std::error_code error;
  sight.has_ipvs = fs::exists(kTable, error);
  const auto services = virtual_services_of(read_kernel_file(kTable));
  if (!services) return std::unexpected(services.error());
  sight.services = services_of_kube_proxy(*services, addresses_of(kInterface));
  sight.others = services->size() - sight.services.size();
  sight.interface = has_link(kInterface);
  sight.sets = sets_of_kube_proxy();
  return sight;
}

std::string words_for(const Sight& sight) {
  std::vector<std::string> items;
  if (!sight.services.empty()) items.push_back(counted(sight.services.size(), "virtual service"));
  if (sight.interface) items.emplace_back(kInterface);
  if (!sight.sets.empty()) items.push_back(counted(sight.sets.size(), "IP set"));
  auto text = listed(items);
  if (sight.others > 0) {
    text += (text.empty() ? "" : "; ") + counted(sight.others, "other virtual service") + " stay";
  }
  return text;
}

std::string missing_tool(const Sight& sight, bool flush) {
  if ((!sight.services.empty() || flush) && !find_tool("ipvsadm")) return "ipvsadm";
  if (sight.interface && !find_tool("ip")) return "ip";
  // kube-proxy brings an ipset of its own; without one nobody can say what sets there are.
  const bool used = !sight.services.empty() || sight.interface;
  return used && !find_tool("ipset") ? "ipset" : "";
}

/// Returns what went wrong.
std::string carry_out(const Context& context, const Sight& sight, bool flush) {
  std::string problem;
  const auto run = [&](const ToolCall& call) {
    const auto result = context.run(call);
    if (!result.failure.empty()) problem = call.name + ": " + words_of(result);
  };
  if (flush) run({.name = "ipvsadm", .arguments = {"-C"}});
  for (const auto& service : sight.services) {
    if (!flush) run({.name = "ipvsadm", .arguments = {"-D", service.option, service.where}});
  }
  if (sight.interface) {
    run({.name = "ip", .arguments = {"link", "delete", "dev", std::string{kInterface}}});
  }
  for (const auto& set : sight.sets) run({.name = "ipset", .arguments = {"destroy", set}});
  return problem;
}

}  // namespace

Outcome clean_ipvs(const Context& context) {
  auto sight = look();
  if (!sight) return failed(failure::kToolFailed, sight.error());
  const bool empty = sight->has_ipvs && sight->services.empty() && sight->others == 0;
  const bool flush = context.plan.flush_all && !empty;
  const bool work = flush || !sight->services.empty() || sight->interface || !sight->sets.empty();
  if (!work) {
    const auto words = words_for(*sight);
    return nothing_to_do(words.empty() ? "nothing of kube-proxy in IPVS" : words);
  }
  const auto missing = missing_tool(*sight, flush);
  if (flush) sight->others = 0;
  const auto words = (flush ? "ipvsadm -C; " : "") + words_for(*sight);
  if (context.plan.dry_run && !missing.empty()) {
    return failed(failure::kToolMissing, missing + " is not installed: " + words);
  }
  if (context.plan.dry_run) return planned("would remove " + words);
  // What can be done is done.
  const auto problem = carry_out(context, *sight, flush);
  if (!missing.empty())
    return failed(failure::kToolMissing, missing + " is not installed: " + words);
  if (!problem.empty()) return failed(failure::kToolFailed, problem);
  return done("removed " + words);
}

}  // namespace host_cleanup
