#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace controller {

/// Where the API server is and how to prove who we are: a kubeconfig context or the in-cluster
/// files, resolved.
struct KubeConfig {
  std::string host;  ///< DNS name or IP address, IPv6 without brackets
  std::string port = "443";
  std::string path_prefix;      ///< of the server URL, without trailing slash; usually empty
  std::string tls_server_name;  ///< name the certificate must carry; `host` when the kubeconfig
                                ///< says nothing
  std::string ca_pem;           ///< the only trust anchors; never the system's
  std::string client_certificate_pem;
  std::string client_key_pem;
  std::string token;                 ///< static bearer token
  std::filesystem::path token_file;  ///< bearer token that may rotate; read again while running
  std::string
      source;  ///< for messages: "kubeconfig /path, context x" or "in-cluster files in /path"
};

struct KubeConfigSource {
  std::filesystem::path
      kubeconfig;       ///< empty: $KUBECONFIG, then the in-cluster files, then ~/.kube/config
  std::string context;  ///< empty: current-context
};

/// Reads and resolves the configuration. Fails with a sentence that names the file, what is wrong
/// in it and what to do: missing file, larger than 1 MiB, not YAML, no such context/cluster/user,
/// server not https, no CA, certificate without key, unreadable or not PEM, a client certificate
/// that is expired (with its date), and what this version does not support (exec plugins,
/// auth-provider, insecure-skip-tls-verify, username).
std::expected<KubeConfig, std::string> load_kube_config(const KubeConfigSource& source);

/// Pure part of the above for one kubeconfig text; relative file names are resolved against
/// `directory`.
std::expected<KubeConfig, std::string> parse_kubeconfig(std::string_view yaml,
                                                        const std::string& context,
                                                        const std::filesystem::path& directory);

/// Pure part for a pod: `host` and `port` are KUBERNETES_SERVICE_HOST and _PORT, `directory` holds
/// ca.crt and token.
std::expected<KubeConfig, std::string> in_cluster_config(const std::string& host,
                                                         const std::string& port,
                                                         const std::filesystem::path& directory);

/// A bearer token that is re-read from its file when older than 60 s (the kubelet rotates projected
/// tokens). An unreadable, empty or malformed file keeps the last good token.
class TokenSource {
 public:
  explicit TokenSource(const KubeConfig& config);
  /// Empty when the configuration has no token.
  const std::string& current(std::chrono::steady_clock::time_point now);
  /// After a 401: the next current() reads the file again.
  void invalidate() { read_at_.reset(); }

 private:
  std::string token_;
  std::filesystem::path file_;
  std::optional<std::chrono::steady_clock::time_point> read_at_;
};

}  // namespace controller
