#include "controller/kubeconfig_parts.hpp"

#include "controller/base64.hpp"
#include "controller/small_file.hpp"

namespace controller::kubeconfig {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxFileName = 255;  // of Linux

// A token or a key that was put where a file name belongs.
bool may_be_secret(const std::string& name) {
  return name.size() > kMaxFileName || name.starts_with("eyJ") || name.contains('\n') ||
         name.contains("-----BEGIN");
}

}  // namespace

YAML::Node child(const YAML::Node& map, const std::string& key) {
  const auto found = map[key];
  int times = 0;
  if (map.IsMap()) {
    for (const auto& entry : map) {
      if (entry.first.IsScalar() && entry.first.Scalar() == key) ++times;
    }
  }
  if (times > 1) throw DuplicateKey(map.Mark(), key);
  return found;
}

YAML::Node list_at(const YAML::Node& map, const std::string& key) {
  auto found = child(map, key);
  const bool is_list = !found.IsDefined() || found.IsNull() || found.IsSequence();
  if (!is_list) throw YAML::Exception(found.Mark(), "no list");
  return found;
}

std::string text_at(const YAML::Node& map, const std::string& key) {
  const auto node = child(map, key);
  if (!node.IsDefined() || node.IsNull()) return {};
  return node.as<std::string>();
}

bool is_set(const YAML::Node& map, const std::string& key) {
  const auto node = child(map, key);
  return node.IsDefined() && !node.IsNull();
}

bool flag_at(const YAML::Node& map, const std::string& key) {
  return is_set(map, key) && child(map, key).as<bool>();
}

std::expected<fs::path, std::string> path_at(const YAML::Node& map, const std::string& key,
                                             const fs::path& directory) {
  const auto name = text_at(map, key);
  if (name.empty()) return fs::path();
  if (may_be_secret(name)) {
    return fail("{} is not the name of a file (it is not shown, as it may be a secret)", key);
  }
  return directory / name;
}

std::expected<std::optional<Text>, std::string> text_or_file(const YAML::Node& map,
                                                             const std::string& key,
                                                             const fs::path& directory) {
  if (const auto data = text_at(map, key + "-data"); !data.empty()) {
    auto decoded = base64_decode(data);
    if (!decoded) return fail("{}-data is not base64", key);
    return Text{std::move(*decoded), key + "-data", {}};
  }
  auto path = path_at(map, key, directory);
  if (!path) return Failure(std::move(path).error());
  if (path->empty()) return std::nullopt;
  auto text = read_small_file(*path, kMaxTextFile);
  if (!text) return fail("{} {}", key, text.error());
  return Text{std::move(*text), fmt::format("{} {}", key, path->string()), *path};
}

bool may_stand_in_host(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

}  // namespace controller::kubeconfig
