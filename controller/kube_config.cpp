#include "controller/kube_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "controller/pem.hpp"
#include "controller/small_file.hpp"

namespace controller {
namespace {

namespace fs = std::filesystem;

constexpr const char* kServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::expected<KubeConfig, std::string> from_file(const fs::path& path,
                                                 const KubeConfigSource& source) {
  auto yaml = read_file_or_pipe(path, kMaxTextFile);
  if (!yaml) return std::unexpected(fmt::format("kubeconfig {}", yaml.error()));
  return parse_kubeconfig({{path, std::move(*yaml)}}, source);
}

std::vector<fs::path> split(const std::string& list) {
  std::vector<fs::path> out;
  for (std::size_t start = 0; start < list.size();) {
    const auto end = std::min(list.find(':', start), list.size());
    if (end > start) out.emplace_back(list.substr(start, end - start));
    start = end + 1;
  }
  return out;
}

/// Those of the files that exist, merged.
std::expected<KubeConfig, std::string> from_list(const std::vector<fs::path>& paths,
                                                 const KubeConfigSource& source) {
  std::vector<KubeconfigText> files;
  for (const auto& path : paths) {
    std::error_code error;
    if (!fs::exists(path, error) && !error) continue;
    auto yaml = read_file_or_pipe(path, kMaxTextFile);
    if (!yaml) return std::unexpected(fmt::format("kubeconfig {}", yaml.error()));
    files.push_back({path, std::move(*yaml)});
  }
  if (!files.empty()) return parse_kubeconfig(files, source);
  return std::unexpected(
      fmt::format("KUBECONFIG names no file that exists: {}", environment("KUBECONFIG")));
}

}  // namespace

std::expected<KubeConfig, std::string> load_kube_config(const KubeConfigSource& source) {
  if (!source.kubeconfig.empty()) return from_file(source.kubeconfig, source);
  const auto named = split(environment("KUBECONFIG"));
  if (named.size() == 1) return from_file(named.front(), source);
  if (!named.empty()) return from_list(named, source);

  const auto host = environment("KUBERNETES_SERVICE_HOST");
  if (!host.empty()) {
    for (const auto& [what, name] : {std::pair{"context", &source.context},
                                     {"cluster", &source.cluster},
                                     {"user", &source.user},
                                     {"server", &source.server}}) {
      if (name->empty()) continue;
      return std::unexpected(
          fmt::format("{} \"{}\" was asked for, but in a pod there is no kubeconfig to look it up "
                      "in: give one with --kubeconfig",
                      what, *name));
    }
    return in_cluster_config(host, environment("KUBERNETES_SERVICE_PORT"), kServiceAccount);
  }

  const auto home = environment("HOME");
  const auto path = fs::path(home) / ".kube" / "config";
  std::error_code error;
  if (!home.empty() && fs::exists(path, error)) return from_file(path, source);
  return std::unexpected(
      fmt::format("no way to reach a cluster: --kubeconfig is not given, KUBECONFIG and "
                  "KUBERNETES_SERVICE_HOST "
                  "are not set, and {} does not exist",
                  home.empty() ? "~/.kube/config" : path.string()));
}

std::expected<KubeConfig, std::string> in_cluster_config(const std::string& host,
                                                         const std::string& port,
                                                         const fs::path& directory) {
  if (host.empty() || port.empty()) {
    return std::unexpected("KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT must both be set");
  }
  constexpr std::string_view kAdvice =
      "(a pod needs a service account with its token mounted: automountServiceAccountToken or a "
      "projected volume)";
  KubeConfig config;
  config.host = host;
  config.port = port;
  config.tls_server_name = host;
  config.source = fmt::format("in-cluster files in {}", directory.string());

  auto ca = read_small_file(directory / "ca.crt", kMaxTextFile);
  if (!ca) return std::unexpected(fmt::format("{} {}", ca.error(), kAdvice));
  if (auto valid = read_certificates(*ca); !valid) {
    return std::unexpected(fmt::format("{} {}", (directory / "ca.crt").string(), valid.error()));
  }
  config.ca_pem = std::move(*ca);
  config.ca_file = directory / "ca.crt";

  config.token_file = directory / "token";
  const auto token = read_small_file(config.token_file, kMaxTokenFile);
  if (!token) return std::unexpected(fmt::format("{} {}", token.error(), kAdvice));
  if (auto valid = clean_token(*token); !valid) {
    return std::unexpected(fmt::format("{} {}", config.token_file.string(), valid.error()));
  }
  return config;
}

}  // namespace controller
