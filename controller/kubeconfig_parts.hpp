#pragma once

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "controller/kube_config.hpp"

// What the readers of the parts of a kubeconfig share. The format is described at
// https://kubernetes.io/docs/reference/config-api/kubeconfig.v1.
namespace controller::kubeconfig {

using Failure = std::unexpected<std::string>;
using Checked = std::expected<void, std::string>;

template <typename... Args>
Failure fail(fmt::format_string<Args...> format, Args&&... args) {
  return Failure(fmt::format(format, std::forward<Args>(args)...));
}

/// A text from the kubeconfig or from a file it names.
struct Text {
  std::string text;
  std::string where;           ///< for messages
  std::filesystem::path file;  ///< empty when the text stands in the kubeconfig
};

/// A key that stands twice in one mapping: yaml-cpp takes the first, kubectl the last.
class DuplicateKey : public YAML::Exception {
 public:
  DuplicateKey(const YAML::Mark& mark, const std::string& key) : YAML::Exception(mark, key) {}
};

/// The value at `key`, undefined when absent. Throws DuplicateKey, and what yaml-cpp throws for
/// what is no mapping.
YAML::Node child(const YAML::Node& map, const std::string& key);
/// The same for a list, which may be empty.
YAML::Node list_at(const YAML::Node& map, const std::string& key);

/// The scalar at `key`, "" when absent or null. Anything else in its place throws, as yaml-cpp
/// does.
std::string text_at(const YAML::Node& map, const std::string& key);
bool is_set(const YAML::Node& map, const std::string& key);
/// False when absent or null; what is no boolean throws.
bool flag_at(const YAML::Node& map, const std::string& key);

/// The file that `key` names, "" when absent. Fails without quoting it when it cannot be a name: it
/// may be the secret itself.
std::expected<std::filesystem::path, std::string> path_at(const YAML::Node& map,
                                                          const std::string& key,
                                                          const std::filesystem::path& directory);

/// `key`-data in place, or the file that `key` names. Absent when neither is set; as in client-go
/// data wins.
std::expected<std::optional<Text>, std::string> text_or_file(
    const YAML::Node& map, const std::string& key, const std::filesystem::path& directory);

bool may_stand_in_host(char c);

/// The parts. Relative file names are relative to `directory`, that of the file which the part
/// stands in.
Checked read_cluster(const YAML::Node& cluster, const std::filesystem::path& directory,
                     const KubeConfigSource& source, KubeConfig& config);
Checked read_user(const YAML::Node& user, const YAML::Node& cluster,
                  const std::filesystem::path& directory, KubeConfig& config);
/// `cluster` is what a plugin with provideClusterInfo is told of; `config` holds what has been read
/// of it.
Checked read_exec(const YAML::Node& exec, const YAML::Node& cluster,
                  const std::filesystem::path& directory, KubeConfig& config);

}  // namespace controller::kubeconfig
