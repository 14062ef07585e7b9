#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "controller/host_cleanup/container_runtime.hpp"
#include "controller/host_cleanup/mount_table.hpp"
#include "controller/host_cleanup/processes.hpp"
#include "controller/host_cleanup/step.hpp"
#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto kResetTimeout = 300s;

bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

/// With which the kubelet could register again.
std::vector<std::string> credentials(const Context& context) {
  std::vector<std::string> paths{std::string{kKubeletConf},
                                 "/etc/kubernetes/bootstrap-kubelet.conf", "/var/lib/kubelet/pki"};
  const auto& other = context.facts.kubeconfig;
  const auto deleted_later = [&](const std::string& path) {
    return other == path || other.starts_with(path + "/");
  };
  if (!other.empty() && std::ranges::find(paths, other) == paths.end() &&
      std::ranges::none_of(context.plan.extra_paths, deleted_later)) {
    paths.push_back(other);
  }
  std::erase_if(paths, [](const std::string& path) { return !is_there(path); });
  const auto& certificates = context.facts.certificate_folder;
  if (!certificates.empty() &&
      std::ranges::none_of(context.plan.extra_paths, [&](const auto& path) {
        return certificates == path || certificates.starts_with(path + "/");
      })) {
    const auto current = fs::path{certificates} / "kubelet-client-current.pem";
    if (is_there(current)) paths.push_back(current.string());
  }
  return paths;
}

/// Whatever else kubeadm has written.
std::vector<std::string> traces() {
  std::vector<std::string> found;
  for (const fs::path folder : {"/etc/kubernetes/manifests", "/etc/kubernetes/pki"}) {
    std::error_code ignored;
    const bool filled = fs::is_directory(folder, ignored) && !fs::is_empty(folder, ignored);
    if (filled) found.push_back(folder.string());
  }
  for (const fs::path file :
       {"/etc/kubernetes/admin.conf", "/etc/kubernetes/super-admin.conf",
        "/etc/kubernetes/controller-manager.conf", "/etc/kubernetes/scheduler.conf",
        "/var/lib/kubelet/config.yaml", "/var/lib/kubelet/kubeadm-flags.env"}) {
    if (is_there(file)) found.push_back(file.string());
  }
  return found;
}

/// Mounts, and links to elsewhere, in whose place `kubeadm reset` would erase what is in them. The
/// folder of the kubelet may itself be one.
std::expected<std::vector<std::string>, std::string> mounts_in_its_way(const Context& context) {
  auto found = kubelet_mounts(context.facts.root_folder);
  const auto points = mount_points();
  if (!found || !points) return std::unexpected(found ? points.error() : found.error());
  for (const fs::path folder :
       {"/etc/kubernetes", "/etc/kubernetes/pki", "/etc/kubernetes/manifests", "/var/lib/cni",
        "/var/run/kubernetes", "/var/lib/dockershim", "/var/lib/etcd"}) {
    for (auto& place : places_elsewhere(*points, folder)) {
      if (std::ranges::find(*found, place) == found->end()) found->push_back(std::move(place));
    }
  }
  return found;
}

ToolCall kubeadm_reset(const Context& context) {
  ToolCall call{.name = "kubeadm", .arguments = {"reset", "-f"}, .timeout = kResetTimeout};
  const auto found = runtimes(context.facts);
  if (!found.empty()) call.arguments.push_back("--cri-socket=" + found.front().endpoint);
  return call;
}

}  // namespace

Outcome reset_kubeadm(const Context& context) {
  auto there = credentials(context);
  for (auto& trace : traces()) {
    if (std::ranges::find(there, trace) == there.end()) there.push_back(std::move(trace));
  }
  if (there.empty()) return nothing_to_do("nothing of kubeadm is there");
  if (!find_tool("kubeadm")) {
    return failed(failure::kToolMissing, "kubeadm is not installed, but there is " + listed(there));
  }
  if (context.plan.dry_run) return planned("would run kubeadm reset for " + listed(there));
  // Somebody else may restart one that was between two attempts when it was looked for.
  if (const auto kubelets = processes_named("kubelet"); !kubelets.empty()) {
    return failed(failure::kKubeletRunning,
                  "not run: process " + listed(kubelets) + " named kubelet has been started since");
  }
  const auto mounts = mounts_in_its_way(context);
  if (!mounts) return failed(failure::kMountsBusy, mounts.error());
  if (!mounts->empty()) {
    return failed(failure::kMountsBusy,
                  "not run: it would erase what is mounted at " + listed(*mounts));
  }
  // It ends with 0 whatever it could not do.
  const auto result = context.run(kubeadm_reset(context));
  auto left = credentials(context);
  for (auto& trace : traces()) left.push_back(std::move(trace));
  if (!left.empty()) {
    return failed(failure::kCredentialsLeft,
                  listed(left) + " is left after kubeadm reset: " + cut(words_of(result), 80));
  }
  if (!result.failure.empty()) {
    return failed(failure::kToolFailed,
                  "kubeadm reset " + result.failure + ": " + words_of(result));
  }
  return done("kubeadm reset was run; no credentials are left");
}

}  // namespace host_cleanup
