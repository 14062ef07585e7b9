// The kubeconfig format (https://kubernetes.io/docs/reference/config-api/kubeconfig.v1), the part
// we support.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "controller/kube_config.hpp"
#include "controller/pem.hpp"
#include "controller/small_file.hpp"

namespace controller {
namespace {

namespace fs = std::filesystem;

using Failure = std::unexpected<std::string>;
using Checked = std::expected<void, std::string>;

constexpr std::size_t kMaxFile = 1024 * 1024;

/// A text from the kubeconfig or from a file it names, and where it is from (for messages).
struct Text {
  std::string text;
  std::string where;
};

template <typename... Args>
Failure fail(fmt::format_string<Args...> format, Args&&... args) {
  return Failure(fmt::format(format, std::forward<Args>(args)...));
}

/// The scalar at `key`, "" when absent or null. Anything else in its place throws, as yaml-cpp
/// does.
std::string text_at(const YAML::Node& map, const std::string& key) {
  const auto node = map[key];
  if (!node.IsDefined() || node.IsNull()) return {};
  return node.as<std::string>();
}

bool is_set(const YAML::Node& map, const std::string& key) {
  const auto node = map[key];
  return node.IsDefined() && !node.IsNull();
}

/// The entry called `name` of one of the three lists: {name: x, <what>: {...}}.
std::expected<YAML::Node, std::string> find_entry(const YAML::Node& root, const std::string& what,
                                                  const std::string& name) {
  std::vector<std::string> names;
  for (const auto& entry : root[what + "s"]) {
    names.push_back(text_at(entry, "name"));
    if (names.back() != name) continue;
    auto found = entry[what];
    if (!found.IsDefined() || !found.IsMap()) return fail("{} \"{}\" is empty", what, name);
    return found;
  }
  return fail("there is no {} \"{}\" (there are: {})", what, name,
              names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
}

std::expected<std::string, std::string> decode_base64(std::string text) {
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  const auto padding = static_cast<std::size_t>(std::ranges::count(text, '='));
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0 || padding > 2 || text.empty()) return fail("is not base64");
  out.resize(static_cast<std::size_t>(size) - padding);  // OpenSSL counts the padding as zeros
  return out;
}

/// `key`-data in place, or the file that `key` names. Absent when neither is set; as in client-go
/// data wins.
std::expected<std::optional<Text>, std::string> text_or_file(const YAML::Node& map,
                                                             const std::string& key,
                                                             const fs::path& directory) {
  if (const auto data = text_at(map, key + "-data"); !data.empty()) {
    auto decoded = decode_base64(data);
    if (!decoded) return fail("{}-data {}", key, decoded.error());
    return Text{std::move(*decoded), key + "-data"};
  }
  const auto name = text_at(map, key);
  if (name.empty()) return std::nullopt;
  const auto path = directory / name;
  auto text = read_small_file(path, kMaxFile);
  if (!text) return fail("{} {}", key, text.error());
  return Text{std::move(*text), fmt::format("{} {}", key, path.string())};
}

bool may_stand_in_host(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

bool may_stand_in_path(char c) {
  return may_stand_in_host(c) || c == '/' || c == '~' || c == '%' || c == ':';
}

/// https://host[:port][/prefix]
Checked read_server(const std::string& url, KubeConfig& config) {
  constexpr std::string_view kScheme = "https://";
  if (url.empty()) return fail("has no server");
  if (!url.starts_with(kScheme)) return fail("server \"{}\" is not an https:// URL", url);
  std::string_view rest = std::string_view(url).substr(kScheme.size());
  const auto slash = std::min(rest.find('/'), rest.size());
  auto prefix = rest.substr(slash);
  auto authority = rest.substr(0, slash);
  while (prefix.ends_with('/')) prefix.remove_suffix(1);

  std::string_view port = "443";
  std::string_view host = authority;
  const bool ipv6 = authority.starts_with('[');
  const auto bracket = authority.find(']');
  const auto colon = authority.find(':', ipv6 && bracket != authority.npos ? bracket : 0);
  if (colon != authority.npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
  }
  if (ipv6) host = host.ends_with(']') ? host.substr(1, host.size() - 2) : std::string_view();
  const auto good = [ipv6](char c) { return may_stand_in_host(c) || (ipv6 && c == ':'); };
  const bool numeric = !port.empty() && port.size() <= 5 &&
                       std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
  if (host.empty() || !std::ranges::all_of(host, good) || !numeric ||
      !std::ranges::all_of(prefix, may_stand_in_path) || prefix.contains("..")) {
    return fail("server \"{}\" is not https://host[:port][/path]", url);
  }
  const int number = std::stoi(std::string(port));
  if (number < 1 || number > 65535) return fail("server \"{}\" has no valid port", url);
  config.host = host;
  config.port = port;
  config.path_prefix = prefix;
  return {};
}

Checked read_cluster(const YAML::Node& cluster, const fs::path& directory, KubeConfig& config) {
  if (const auto insecure = cluster["insecure-skip-tls-verify"];
      insecure.IsDefined() && !insecure.IsNull() && insecure.as<bool>()) {
    return fail(
        "insecure-skip-tls-verify is not supported: whoever can answer in place of the API server "
        "would get our credentials; give its CA in certificate-authority");
  }
  if (is_set(cluster, "proxy-url")) return fail("proxy-url is not supported");
  if (auto server = read_server(text_at(cluster, "server"), config); !server) return server;
  config.tls_server_name = text_at(cluster, "tls-server-name");
  if (config.tls_server_name.empty()) config.tls_server_name = config.host;
  if (!std::ranges::all_of(config.tls_server_name,
                           [](char c) { return may_stand_in_host(c) || c == ':'; })) {
    return fail("tls-server-name \"{}\" is not a host name", config.tls_server_name);
  }
  auto ca = text_or_file(cluster, "certificate-authority", directory);
  if (!ca) return Failure(std::move(ca).error());
  if (!*ca) {
    return fail(
        "has no certificate-authority or certificate-authority-data; the CAs of the system are not "
        "used");
  }
  if (const auto valid = read_certificates((*ca)->text); !valid) {
    return fail("{} {}", (*ca)->where, valid.error());
  }
  config.ca_pem = std::move((*ca)->text);
  return {};
}

Checked refuse_unsupported(const YAML::Node& user) {
  const std::pair<const char*, const char*> unsupported[] = {
      {"exec", "exec plugins are not supported"},
      {"auth-provider", "auth-provider is not supported"},
      {"username", "username and password are not supported"},
      {"password", "username and password are not supported"},
      {"as", "impersonation (as) is not supported"},
      {"as-uid", "impersonation (as-uid) is not supported"},
      {"as-groups", "impersonation (as-groups) is not supported"},
      {"as-user-extra", "impersonation (as-user-extra) is not supported"},
  };
  for (const auto& [key, why] : unsupported) {
    if (is_set(user, key)) return fail("{}: use a client certificate, token or tokenFile", why);
  }
  return {};
}

Checked read_certificate(const YAML::Node& user, const fs::path& directory, KubeConfig& config) {
  auto certificate = text_or_file(user, "client-certificate", directory);
  if (!certificate) return Failure(std::move(certificate).error());
  auto key = text_or_file(user, "client-key", directory);
  if (!key) return Failure(std::move(key).error());
  if (!*certificate && !*key) return {};
  if (!*key) return fail("has a client-certificate but no client-key");
  if (!*certificate) return fail("has a client-key but no client-certificate");

  const auto chain = read_certificates((*certificate)->text);
  if (!chain) return fail("{} {}", (*certificate)->where, chain.error());
  const auto private_key = read_private_key((*key)->text);
  if (!private_key) return fail("{} {}", (*key)->where, private_key.error());
  if (!belong_together(chain->front(), *private_key)) {
    return fail("{} is not the key of {}", (*key)->where, (*certificate)->where);
  }
  if (const auto end = not_after(chain->front()); end < std::chrono::system_clock::now()) {
    return fail("{} expired at {:%Y-%m-%dT%H:%M:%SZ}: renew it", (*certificate)->where,
                fmt::gmtime(std::chrono::system_clock::to_time_t(end)));
  }
  config.client_certificate_pem = std::move((*certificate)->text);
  config.client_key_pem = std::move((*key)->text);
  return {};
}

Checked read_token(const YAML::Node& user, const fs::path& directory, KubeConfig& config) {
  if (const auto token = text_at(user, "token"); !token.empty()) {
    auto clean = clean_token(token);
    if (!clean) return fail("token {}", clean.error());
    config.token = std::move(*clean);
  }
  const auto name = text_at(user, "tokenFile");
  if (name.empty()) return {};
  config.token_file = directory / name;
  const auto text = read_small_file(config.token_file, kMaxFile);
  if (!text) return fail("tokenFile {}", text.error());
  if (const auto clean = clean_token(*text); !clean) {
    return fail("tokenFile {} {}", config.token_file.string(), clean.error());
  }
  return {};
}

Checked read_user(const YAML::Node& user, const fs::path& directory, KubeConfig& config) {
  if (auto supported = refuse_unsupported(user); !supported) return supported;
  if (auto read = read_certificate(user, directory, config); !read) return read;
  if (auto read = read_token(user, directory, config); !read) return read;
  if (config.client_certificate_pem.empty() && config.token.empty() && config.token_file.empty()) {
    return fail("has no client certificate, token or tokenFile");
  }
  return {};
}

std::expected<KubeConfig, std::string> resolve(const YAML::Node& root, std::string context_name,
                                               const fs::path& directory) {
  if (!root.IsMap()) return fail("is not a kubeconfig (no YAML mapping)");
  if (context_name.empty()) context_name = text_at(root, "current-context");
  if (context_name.empty()) {
    return fail("has no current-context: set one or choose with --context");
  }
  const auto context = find_entry(root, "context", context_name);
  if (!context) return Failure(context.error());

  KubeConfig config;
  config.source = fmt::format("context {}", context_name);
  const auto cluster_name = text_at(*context, "cluster");
  const auto cluster = find_entry(root, "cluster", cluster_name);
  if (!cluster) return fail("context \"{}\": {}", context_name, cluster.error());
  if (auto read = read_cluster(*cluster, directory, config); !read) {
    return fail("cluster \"{}\": {}", cluster_name, read.error());
  }
  const auto user_name = text_at(*context, "user");
  const auto user = find_entry(root, "user", user_name);
  if (!user) return fail("context \"{}\": {}", context_name, user.error());
  if (auto read = read_user(*user, directory, config); !read) {
    return fail("user \"{}\": {}", user_name, read.error());
  }
  return config;
}

}  // namespace

std::expected<KubeConfig, std::string> parse_kubeconfig(std::string_view yaml,
                                                        const std::string& context,
                                                        const fs::path& directory) {
  try {
    return resolve(YAML::Load(std::string(yaml)), context, directory);
  } catch (const YAML::Exception& error) {
    return fail("is not valid YAML for a kubeconfig: {}", error.what());
  }
}

}  // namespace controller
