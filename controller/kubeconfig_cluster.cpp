#include <algorithm>

#include "controller/kubeconfig_parts.hpp"
#include "controller/pem.hpp"

namespace controller::kubeconfig {
namespace {

namespace fs = std::filesystem;

bool may_stand_in_path(char c) {
  return may_stand_in_host(c) || c == '/' || c == '~' || c == '%' || c == ':';
}

/// https://host[:port][/prefix]
Checked read_server(const std::string& url, KubeConfig& config) {
  constexpr std::string_view kScheme = "https://";
  if (url.empty()) return fail("has no server");
  if (url.contains('@')) return fail("server has a user name or password in it (it is not shown)");
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

Checked read_authority(const YAML::Node& cluster, const fs::path& directory, KubeConfig& config) {
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
  config.ca_file = std::move((*ca)->file);
  return {};
}

Checked check_insecure(const YAML::Node& cluster, const KubeConfigSource& source) {
  if (!source.insecure_allowed) {
    return fail(
        "insecure-skip-tls-verify: whoever can answer in place of the API server would get our "
        "credentials; give its CA in certificate-authority, or, where nothing is at stake, start "
        "with --insecure-skip-tls-verify");
  }
  if (is_set(cluster, "certificate-authority") || is_set(cluster, "certificate-authority-data")) {
    return fail(
        "has a certificate-authority and insecure-skip-tls-verify: true: remove one of them");
  }
  return {};
}

}  // namespace

Checked read_cluster(const YAML::Node& cluster, const fs::path& directory,
                     const KubeConfigSource& source, KubeConfig& config) {
  if (is_set(cluster, "proxy-url")) {
    return fail(
        "proxy-url is not supported, the API server is always talked to directly: remove it, and "
        "give a server that is reached without a proxy");
  }
  const auto url = source.server.empty() ? text_at(cluster, "server") : source.server;
  if (auto server = read_server(url, config); !server) return server;
  config.tls_server_name = text_at(cluster, "tls-server-name");
  if (config.tls_server_name.empty()) config.tls_server_name = config.host;
  if (!std::ranges::all_of(config.tls_server_name,
                           [](char c) { return may_stand_in_host(c) || c == ':'; })) {
    return fail("tls-server-name \"{}\" is not a host name", config.tls_server_name);
  }
  config.insecure_skip_tls_verify = flag_at(cluster, "insecure-skip-tls-verify");
  if (config.insecure_skip_tls_verify) return check_insecure(cluster, source);
  return read_authority(cluster, directory, config);
}

}  // namespace controller::kubeconfig
