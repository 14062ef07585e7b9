#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/exec_plugin.hpp"

namespace controller {

/// Where the API server is and how to prove who we are: a kubeconfig context or the in-cluster
/// files, resolved.
struct KubeConfig {
  std::string host;  ///< DNS name or IP address, IPv6 without brackets
  std::string port = "443";
  std::string path_prefix;        ///< of the server URL, without trailing slash; usually empty
  std::string tls_server_name;    ///< name the certificate must carry; `host` when the kubeconfig
                                  ///< says nothing
  std::string ca_pem;             ///< the only trust anchors; never the system's
  std::filesystem::path ca_file;  ///< where ca_pem is from and may change; empty: given in place
  bool insecure_skip_tls_verify = false;  ///< asked for twice: in the kubeconfig and by flag
  std::string client_certificate_pem;
  std::string client_key_pem;
  std::filesystem::path client_certificate_file;  ///< as ca_file
  std::filesystem::path client_key_file;
  std::string token;                 ///< static bearer token
  std::filesystem::path token_file;  ///< bearer token that may rotate; read again while running
  std::optional<ExecPlugin> exec;    ///< prints token or client certificate; then neither is above
  std::vector<std::filesystem::path> files;  ///< kubeconfigs that it is from; none in a pod
  std::string
      source;  ///< for messages: "kubeconfig /path, context x" or "in-cluster files in /path"
};

struct KubeConfigSource {
  std::filesystem::path
      kubeconfig;         ///< empty: $KUBECONFIG, then the in-cluster files, then ~/.kube/config
  std::string context;    ///< empty: current-context
  std::string cluster{};  ///< of the kubeconfig, instead of that of the context
  std::string user{};     ///< likewise
  std::string server{};   ///< URL, instead of that of the cluster
  bool insecure_allowed = false;  ///< whether insecure-skip-tls-verify of a kubeconfig is accepted
};

/// One kubeconfig, read but not parsed.
struct KubeconfigText {
  std::filesystem::path path;
  std::string yaml;
};

/// Reads and resolves the configuration. $KUBECONFIG may name several files, which are merged as
/// kubectl does it; those that do not exist are skipped. Fails with a sentence that names the file,
/// what is wrong in it and what to do, and that never shows a secret: missing file, larger than
/// 1 MiB, not YAML, no such context/cluster/user, server not https, no CA, certificate without key,
/// unreadable or not PEM, a client certificate that is expired (with its date),
/// insecure-skip-tls-verify without the flag, and what is not supported (auth-provider, username,
/// impersonation, proxy-url).
std::expected<KubeConfig, std::string> load_kube_config(const KubeConfigSource& source);

/// The part of the above that comes after the reading of the kubeconfigs; still reads the files
/// they name. A relative file name is relative to the folder of the kubeconfig that it stands in.
std::expected<KubeConfig, std::string> parse_kubeconfig(const std::vector<KubeconfigText>& files,
                                                        const KubeConfigSource& source);

/// Pure part for a pod: `host` and `port` are KUBERNETES_SERVICE_HOST and _PORT, `directory` holds
/// ca.crt and token.
std::expected<KubeConfig, std::string> in_cluster_config(const std::string& host,
                                                         const std::string& port,
                                                         const std::filesystem::path& directory);

}  // namespace controller
