#include "controller/kube_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>

#include "controller/pem.hpp"
#include "controller/small_file.hpp"

namespace controller {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxKubeconfig = 1024 * 1024;
constexpr std::size_t kMaxCa = 1024 * 1024;
constexpr std::size_t kMaxToken = 64 * 1024;
constexpr std::chrono::seconds kTokenAge{60};
constexpr const char* kServiceAccount = "/var/run/secrets/kubernetes.io/serviceaccount";

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

std::expected<KubeConfig, std::string> from_file(const fs::path& path, const std::string& context) {
  const auto yaml = read_small_file(path, kMaxKubeconfig);
  if (!yaml) return std::unexpected(fmt::format("kubeconfig {}", yaml.error()));
  auto config = parse_kubeconfig(*yaml, context, fs::absolute(path).parent_path());
  if (!config)
    return std::unexpected(fmt::format("kubeconfig {}: {}", path.string(), config.error()));
  config->source = fmt::format("kubeconfig {}, {}", path.string(), config->source);
  return config;
}

/// The one file in $KUBECONFIG; empty when it is not set.
std::expected<fs::path, std::string> file_in_environment() {
  fs::path only;
  const auto list = environment("KUBECONFIG");
  for (std::size_t start = 0; start < list.size();) {
    const auto end = std::min(list.find(':', start), list.size());
    const auto one = list.substr(start, end - start);
    start = end + 1;
    if (one.empty()) continue;
    if (!only.empty()) {
      return std::unexpected(
          fmt::format("KUBECONFIG names several files ({}): merging is not supported yet, "
                      "give one file with --kubeconfig",
                      list));
    }
    only = one;
  }
  return only;
}

}  // namespace

std::expected<KubeConfig, std::string> load_kube_config(const KubeConfigSource& source) {
  if (!source.kubeconfig.empty()) return from_file(source.kubeconfig, source.context);
  const auto named = file_in_environment();
  if (!named) return std::unexpected(named.error());
  if (!named->empty()) return from_file(*named, source.context);

  const auto host = environment("KUBERNETES_SERVICE_HOST");
  if (!host.empty()) {
    if (!source.context.empty()) {
      return std::unexpected(fmt::format(
          "context \"{}\" was asked for, but in a pod there is no kubeconfig to look it up in: "
          "give one with --kubeconfig",
          source.context));
    }
    return in_cluster_config(host, environment("KUBERNETES_SERVICE_PORT"), kServiceAccount);
  }

  const auto home = environment("HOME");
  const auto path = fs::path(home) / ".kube" / "config";
  std::error_code error;
  if (!home.empty() && fs::exists(path, error)) return from_file(path, source.context);
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

  auto ca = read_small_file(directory / "ca.crt", kMaxCa);
  if (!ca) return std::unexpected(fmt::format("{} {}", ca.error(), kAdvice));
  if (auto valid = read_certificates(*ca); !valid) {
    return std::unexpected(fmt::format("{} {}", (directory / "ca.crt").string(), valid.error()));
  }
  config.ca_pem = std::move(*ca);

  config.token_file = directory / "token";
  const auto token = read_small_file(config.token_file, kMaxToken);
  if (!token) return std::unexpected(fmt::format("{} {}", token.error(), kAdvice));
  if (auto valid = clean_token(*token); !valid) {
    return std::unexpected(fmt::format("{} {}", config.token_file.string(), valid.error()));
  }
  return config;
}

TokenSource::TokenSource(const KubeConfig& config)
    : token_(config.token), file_(config.token_file) {}

const std::string& TokenSource::current(std::chrono::steady_clock::time_point now) {
  if (file_.empty() || (read_at_ && now - *read_at_ < kTokenAge)) return token_;
  read_at_ = now;
  if (const auto text = read_small_file(file_, kMaxToken)) {
    if (auto token = clean_token(*text)) token_ = std::move(*token);
  }
  return token_;
}

}  // namespace controller
