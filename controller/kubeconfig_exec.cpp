#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "controller/base64.hpp"
#include "controller/kubeconfig_parts.hpp"

namespace controller::kubeconfig {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::string_view kV1 = "client.authentication.k8s.io/v1";
constexpr std::string_view kV1Beta1 = "client.authentication.k8s.io/v1beta1";
constexpr const char* kClusterExtension = "client.authentication.k8s.io/exec";
constexpr int kMaxDepth = 16;
constexpr int kMaxValues = 10'000;  // aliases can make a short text a long one

/// What YAML calls a plain scalar is in JSON what it looks like; a quoted one is a string.
json::value scalar_to_json(const YAML::Node& node) {
  if (node.Tag() != "?") return json::value(node.Scalar());
  bool truth = false;
  std::int64_t number = 0;
  double fraction = 0;
  if (YAML::convert<std::int64_t>::decode(node, number)) return number;
  if (YAML::convert<double>::decode(node, fraction)) return fraction;
  if (YAML::convert<bool>::decode(node, truth)) return truth;
  return json::value(node.Scalar());
}

json::value to_json(const YAML::Node& node, int depth, int& values) {
  if (depth > kMaxDepth || ++values > kMaxValues) throw YAML::Exception(node.Mark(), "too big");
  if (node.IsScalar()) return scalar_to_json(node);
  if (node.IsSequence()) {
    json::array out;
    for (const auto& one : node) out.push_back(to_json(one, depth + 1, values));
    return out;
  }
  if (!node.IsMap()) return nullptr;
  json::object out;
  for (const auto& one : node) {
    out[one.first.as<std::string>()] = to_json(one.second, depth + 1, values);
  }
  return out;
}

/// The cluster as the plugin gets to know it.
json::object cluster_info(const YAML::Node& cluster, const KubeConfig& config) {
  json::object out{{"server", text_at(cluster, "server")}};
  if (is_set(cluster, "tls-server-name")) out["tls-server-name"] = config.tls_server_name;
  if (config.insecure_skip_tls_verify) out["insecure-skip-tls-verify"] = true;
  if (!config.ca_pem.empty()) out["certificate-authority-data"] = base64_encode(config.ca_pem);
  for (const auto& one : list_at(cluster, "extensions")) {
    if (text_at(one, "name") != kClusterExtension) continue;
    int values = 0;
    out["config"] = to_json(child(one, "extension"), 0, values);
  }
  return out;
}

Checked read_version(const YAML::Node& exec, ExecPlugin& plugin) {
  plugin.api_version = text_at(exec, "apiVersion");
  if (plugin.api_version == kV1 || plugin.api_version == kV1Beta1) return {};
  return fail("exec: apiVersion \"{}\" is not supported: update the plugin and use {} or {}",
              plugin.api_version, kV1, kV1Beta1);
}

Checked read_interactive_mode(const YAML::Node& exec, const ExecPlugin& plugin) {
  const auto mode = text_at(exec, "interactiveMode");
  if (mode == "Never" || mode == "IfAvailable") return {};
  if (mode.empty() && plugin.api_version == kV1Beta1) return {};
  if (mode == "Always") {
    return fail("exec: interactiveMode Always needs a terminal, and the operator has none");
  }
  return fail("exec: interactiveMode has to be Never or IfAvailable");
}

Checked read_command(const YAML::Node& exec, const fs::path& directory, ExecPlugin& plugin) {
  plugin.command = text_at(exec, "command");
  if (plugin.command.empty()) return fail("exec: has no command");
  if (plugin.command.contains('/'))
    plugin.command = (directory / plugin.command).lexically_normal();
  for (const auto& one : list_at(exec, "args")) plugin.args.push_back(one.as<std::string>());
  for (const auto& one : list_at(exec, "env")) {
    auto name = text_at(one, "name");
    if (name.empty() || name.contains('=')) return fail("exec: an entry of env has no good name");
    plugin.env.emplace_back(std::move(name), text_at(one, "value"));
  }
  const auto has_nul = [](const std::string& text) { return text.contains('\0'); };
  bool nul = has_nul(plugin.command);
  for (const auto& one : plugin.args) nul = nul || has_nul(one);
  for (const auto& [name, value] : plugin.env) nul = nul || has_nul(name) || has_nul(value);
  if (nul) return fail("exec: command, args or env has a NUL character");
  plugin.install_hint = text_at(exec, "installHint");
  return {};
}

}  // namespace

Checked read_exec(const YAML::Node& exec, const YAML::Node& cluster, const fs::path& directory,
                  KubeConfig& config) {
  ExecPlugin plugin;
  if (auto read = read_version(exec, plugin); !read) return read;
  if (auto read = read_interactive_mode(exec, plugin); !read) return read;
  if (auto read = read_command(exec, directory, plugin); !read) return read;
  json::object spec{{"interactive", false}};
  if (flag_at(exec, "provideClusterInfo")) spec["cluster"] = cluster_info(cluster, config);
  plugin.info = json::serialize(json::object{
      {"kind", "ExecCredential"}, {"apiVersion", plugin.api_version}, {"spec", std::move(spec)}});
  if (const auto program = find_program(plugin); !program) return Failure(program.error());
  config.exec = std::move(plugin);
  return {};
}

}  // namespace controller::kubeconfig
