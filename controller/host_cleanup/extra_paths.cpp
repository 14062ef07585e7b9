#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "controller/host_cleanup/remove_tree.hpp"
#include "controller/host_cleanup/step.hpp"
#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr auto kAllTimeout = std::chrono::seconds(300);

/// What this cleaning itself works with.
bool is_ours(const fs::path& path) {
  const auto text = path.string() + "/";
  return text.starts_with("/var/lib/noderemoval/") || text.starts_with("/run/noderemoval/");
}

/// Where the path leads, or why it must not be deleted.
std::expected<fs::path, std::string> checked(const std::string& path) {
  if (const auto problem = crd::problem_with_extra_path(path)) {
    return std::unexpected(path + " " + *problem);
  }
  auto resolved = with_parents_resolved(path);
  if (const auto problem = crd::problem_with_extra_path(resolved.string())) {
    return std::unexpected(path + " leads to " + resolved.string() + ", which " + *problem);
  }
  if (is_ours(resolved)) return std::unexpected(path + " is where this cleaning is kept");
  if (const auto why = why_not_removable(resolved); !why.empty()) {
    return std::unexpected(path + ": " + why);
  }
  return resolved;
}

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

}  // namespace

Outcome clean_extra_paths(const Context& context) {
  std::vector<std::string> found;
  std::string problem;
  const auto deadline = Clock::now() + kAllTimeout;
  for (const auto& path : context.plan.extra_paths) {
    const auto resolved = checked(path);
    if (!resolved) {
      problem = resolved.error();
      continue;
    }
    if (!is_there(*resolved)) continue;
    found.push_back(path);
    if (context.plan.dry_run) continue;
    const auto removed = remove_tree(
        *resolved, std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()));
    context.journal.write(
        controller::LogLevel::Info, "deletes a path",
        {{"path", resolved->string()}, {"error", removed ? "" : removed.error()}});
    if (!removed) problem = removed.error();
  }
  if (!problem.empty()) return failed(failure::kPathRefused, problem);
  if (found.empty()) return nothing_to_do("no such path is there");
  if (context.plan.dry_run) return planned("would delete " + listed(found));
  return done("deleted " + listed(found));
}

}  // namespace host_cleanup
