#include <chrono>
#include <string>
#include <vector>

#include "controller/host_cleanup/cni_files.hpp"
#include "controller/host_cleanup/links.hpp"
#include "controller/host_cleanup/step.hpp"
#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kAllTimeout = std::chrono::seconds(180);

/// Routes go with their interfaces. Returns what went wrong.
std::string carry_out_links(const Context& context, const LinkPlan& plan) {
  std::string problem;
  const auto deadline = Clock::now() + kAllTimeout;
  for (const auto& name : plan.remove) {
    if (Clock::now() > deadline) return "the interfaces could not be deleted in time";
    // The veths of a bridge may be gone with the pods by now.
    if (!has_link(name)) continue;
    const auto result = context.run({.name = "ip", .arguments = {"link", "delete", "dev", name}});
    if (has_link(name)) problem = "cannot delete " + name + ": ip: " + words_of(result);
  }
  for (const auto& name : plan.flush) {
    const auto result = context.run({.name = "ip", .arguments = {"address", "flush", "dev", name}});
    if (!addresses_of(name).empty()) {
      problem = "cannot flush " + name + ": ip: " + words_of(result);
    }
  }
  return problem;
}

std::string words_for(const LinkPlan& links, const FilePlan& files) {
  std::vector<std::string> items = links.remove;
  items.insert(items.end(), links.flush.begin(), links.flush.end());
  for (const auto& path : files.remove) items.push_back(path.string());
  for (const auto& path : files.move_aside) items.push_back(path.string() + " (moved aside)");
  return listed(items, 150);
}

}  // namespace

Outcome clean_cni(const Context& context) {
  const auto network = read_network(context.facts.addresses);
  if (!network) return failed(failure::kToolFailed, network.error());
  const auto links = plan_links(*network, context.plan.cni_interfaces);
  const auto files = plan_cni_files();
  const bool link_work = !links.remove.empty() || !links.flush.empty();
  if (link_work && !find_tool("ip")) {
    return failed(failure::kToolMissing, "ip (iproute2) is not installed");
  }
  std::string problem;
  if (!context.plan.dry_run) {
    problem = carry_out_links(context, links);
    if (const auto wrong = carry_out(files, context.mark); !wrong.empty()) problem = wrong;
    context.journal.write(controller::LogLevel::Info, "cleans after CNI plugins",
                          {{"what", words_for(links, files)}, {"error", problem}});
  }
  if (!links.refused.empty()) {
    return failed(failure::kInterfaceRefused, "refused to delete " + listed(links.refused, 160));
  }
  if (!files.elsewhere.empty()) {
    return failed(
        failure::kPathRefused,
        "nothing was deleted in /var/lib/cni, which is elsewhere: " + listed(files.elsewhere, 100));
  }
  if (!problem.empty()) return failed(failure::kToolFailed, problem);
  if (!link_work && files.empty()) return nothing_to_do("no interfaces and files of CNI plugins");
  if (context.plan.dry_run) return planned("would delete " + words_for(links, files));
  return done("deleted " + words_for(links, files));
}

}  // namespace host_cleanup
