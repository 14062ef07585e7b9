#include "controller/host_cleanup/cni_files.hpp"

#include <fcntl.h>
#include <stdio.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/system/error_code.hpp>
#include <cerrno>
#include <cstring>
#include <optional>
#include <system_error>

#include "controller/host_cleanup/mount_table.hpp"
#include "controller/host_cleanup/remove_tree.hpp"
#include "controller/small_file.hpp"
#include "crd/json.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;
namespace bj = boost::json;

constexpr std::string_view kAside = ".noderemoval-";
/// Plugins that are of use for Kubernetes only.
constexpr std::array<std::string_view, 13> kPluginsOfKubernetes{"flannel",
                                                                "calico",
                                                                "cilium-cni",
                                                                "weave-net",
                                                                "multus",
                                                                "aws-cni",
                                                                "azure-vnet",
                                                                "antrea",
                                                                "kube-ovn",
                                                                "canal",
                                                                "galaxy",
                                                                "multus-shim",
                                                                "ovn-k8s-cni-overlay"};
constexpr std::array<std::string_view, 5> kFilesOfKubernetes{
    "calico-kubeconfig", "multus.d", "whereabouts.d", "weave-kubeconfig", "flannel-kubeconfig"};
constexpr std::array<std::string_view, 4> kOthers{"podman", "nerdctl", "crio", "buildkit"};

std::optional<bj::object> parsed(std::string_view text) {
  boost::system::error_code error;
  auto value = bj::parse(text, error);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value.as_object());
}

std::vector<std::string> plugins_of(const bj::object& config) {
  std::vector<std::string> types{crd::json::string_at(config, "type")};
  if (const auto* plugins = crd::json::array_at(config, "plugins")) {
    for (const auto& plugin : *plugins) {
      if (const auto* object = plugin.if_object()) {
        types.push_back(crd::json::string_at(*object, "type"));
      }
    }
  }
  return types;
}

bool is_one_of(const auto& list, std::string_view text) {
  return std::ranges::find(list, text) != list.end();
}

bool mentions_other(std::string_view text) {
  return std::ranges::any_of(kOthers, [&](std::string_view other) { return text.contains(other); });
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry{folder, error}, end; !error && entry != end;
       entry.increment(error)) {
    found.push_back(entry->path());
  }
  std::ranges::sort(found);
  return found;
}

std::string text_of(const fs::path& file) {
  return controller::read_small_file(file, controller::kMaxTextFile).value_or("");
}

/// `results` holds files NETWORK-CONTAINER-INTERFACE.
bool is_of_network(const std::string& file, const std::set<std::string>& networks) {
  return std::ranges::any_of(networks, [&](const std::string& network) {
    return file == network || file.starts_with(network + "-");
  });
}

void plan_state(const std::set<std::string>& kept, FilePlan& plan) {
  const auto points = mount_points();
  const fs::path state = "/var/lib/cni";
  plan.elsewhere = points ? places_elsewhere(*points, state) : std::vector{points.error()};
  if (!plan.elsewhere.empty()) return;
  for (const auto& path : entries_of(state)) {
    const auto name = path.filename().string();
    if (name == "bin") continue;  // some systems install the plugins there
    if (name != "networks" && name != "results") {
      plan.remove.push_back(path);
      continue;
    }
    for (const auto& inner : entries_of(path)) {
      const auto file = inner.filename().string();
      const bool stays = name == "networks" ? kept.contains(file) : is_of_network(file, kept);
      if (!stays) plan.remove.push_back(inner);
    }
  }
}

std::string move_aside(const fs::path& path, const std::string& mark) {
  for (int i = 1; i < 100; ++i) {
    auto to = path.string() + std::string{kAside} + mark;
    if (i > 1) to += "." + std::to_string(i);
    if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno == ENOENT) return {};
    if (errno != EEXIST) break;
  }
  return path.string() + ": " + std::strerror(errno);
}

}  // namespace

ConfigOwner owner_of_config(std::string_view file_name, std::string_view text) {
  if (is_one_of(kFilesOfKubernetes, file_name)) return ConfigOwner::Kubernetes;
  if (mentions_other(file_name)) return ConfigOwner::Other;
  const auto config = parsed(text);
  if (!config) return ConfigOwner::Unknown;
  if (config->contains("nerdctlID") || mentions_other(crd::json::string_at(*config, "name"))) {
    return ConfigOwner::Other;
  }
  const auto plugins = plugins_of(*config);
  const bool of_kubernetes = std::ranges::any_of(
      plugins, [](const std::string& type) { return is_one_of(kPluginsOfKubernetes, type); });
  return of_kubernetes ? ConfigOwner::Kubernetes : ConfigOwner::Unknown;
}

std::string network_of_config(std::string_view text) {
  const auto config = parsed(text);
  return config ? crd::json::string_at(*config, "name") : "";
}

FilePlan plan_cni_files() {
  FilePlan plan;
  std::set<std::string> kept;
  for (const auto& path : entries_of("/etc/cni/net.d")) {
    const auto name = path.filename().string();
    // Lock files and hidden ones configure nothing.
    if (name.contains(kAside) || name.starts_with('.') || name.ends_with(".lock")) continue;
    std::error_code error;
    const bool folder = fs::is_directory(fs::symlink_status(path, error));
    const auto text = folder ? "" : text_of(path);
    switch (owner_of_config(name, text)) {
      case ConfigOwner::Kubernetes:
        plan.remove.push_back(path);
        break;
      case ConfigOwner::Unknown:
        if (!folder) plan.move_aside.push_back(path);
        break;
      case ConfigOwner::Other:
        if (auto network = network_of_config(text); !network.empty()) {
          kept.insert(std::move(network));
        }
        break;
    }
  }
  plan_state(kept, plan);
  std::error_code error;
  if (fs::exists(fs::symlink_status("/run/flannel", error)))
    plan.remove.emplace_back("/run/flannel");
  return plan;
}

std::string carry_out(const FilePlan& plan, const std::string& mark) {
  std::string problem;
  for (const auto& path : plan.remove) {
    const auto removed = remove_tree(with_parents_resolved(path));
    if (!removed) problem = removed.error();
  }
  for (const auto& path : plan.move_aside) {
    if (auto wrong = move_aside(path, mark); !wrong.empty()) problem = std::move(wrong);
  }
  return problem;
}

}  // namespace host_cleanup
