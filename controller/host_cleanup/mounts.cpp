#include <algorithm>
#include <chrono>
#include <set>
#include <string>
#include <vector>

#include "controller/host_cleanup/mount_table.hpp"
#include "controller/host_cleanup/step.hpp"
#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kOneTimeout = 20s;
constexpr auto kAllTimeout = 300s;

/// Unmounts what is there, as often as that helps: what is mounted over others hides them.
class Unmounter {
 public:
  explicit Unmounter(const Context& context) : context_(context) {}

  /// What is left.
  std::expected<std::vector<std::string>, std::string> run() {
    auto mounts = kubelet_mounts(context_.facts.root_folder);
    while (mounts && !mounts->empty() && Clock::now() < deadline_) {
      const auto before = mounts->size();
      for (const auto& mount : *mounts) unmount(mount);
      mounts = kubelet_mounts(context_.facts.root_folder);
      if (mounts && mounts->size() >= before) break;
    }
    return mounts;
  }

  const std::string& words() const { return words_; }

 private:
  void unmount(const std::string& mount) {
    if (hangs_.contains(mount) || Clock::now() >= deadline_) return;
    const auto result =
        context_.run({.name = "umount", .arguments = {mount}, .timeout = kOneTimeout});
    if (result.timed_out) hangs_.insert(mount);
    if (!result.failure.empty()) words_ = words_of(result);
  }

  const Context& context_;
  const Clock::time_point deadline_ = Clock::now() + kAllTimeout;
  std::set<std::string> hangs_;
  std::string words_;
};

}  // namespace

Outcome clean_mounts(const Context& context) {
  const auto mounts = kubelet_mounts(context.facts.root_folder);
  if (!mounts) return failed(failure::kMountsBusy, mounts.error());
  if (mounts->empty()) return nothing_to_do("no mounts below " + std::string{kKubeletFolder});
  if (context.plan.dry_run) {
    return planned("would unmount " + std::to_string(mounts->size()) + ": " + listed(*mounts));
  }
  if (!find_tool("umount")) return failed(failure::kToolMissing, "umount is not installed");
  Unmounter unmounter{context};
  const auto left = unmounter.run();
  if (!left) return failed(failure::kMountsBusy, left.error());
  if (!left->empty()) {
    return failed(failure::kMountsBusy, std::to_string(left->size()) + " left: " + listed(*left) +
                                            "; umount: " + unmounter.words());
  }
  return done(std::to_string(mounts->size()) + " unmounted, 0 left");
}

}  // namespace host_cleanup
