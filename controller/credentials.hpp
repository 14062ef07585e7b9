#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "controller/credential_cache.hpp"
#include "controller/kube_config.hpp"
#include "controller/tls_client.hpp"
#include "controller/tls_files.hpp"
#include "controller/token_source.hpp"

namespace controller {

/// What one request is sent with.
struct RequestCredential {
  std::string token;  ///< empty: none
  std::chrono::steady_clock::time_point at;
  std::optional<ExecCredential> from_plugin;
};

/// Everything that proves who we are and whom we trust, kept up to date while the program runs.
class Credentials {
 public:
  Credentials(const KubeConfig& config, std::chrono::milliseconds plugin_timeout,
              CredentialCache::Clock clock);

  /// Reads the files that are due and runs the exec plugin when needed. Fails with a sentence when
  /// the plugin does.
  boost::asio::awaitable<std::expected<RequestCredential, std::string>> current();
  /// A request with this credential was answered with 401: the next current() looks for a newer
  /// one.
  void rejected(const RequestCredential& used);
  /// The certificate of the server was refused.
  void authority_failed() { files_.authority_failed(); }

  const TlsSettings& tls() const { return tls_; }
  /// What has changed in tls() since the last call.
  TlsFiles::Change take_change();

 private:
  CredentialCache::Clock clock_;
  TokenSource tokens_;
  TlsFiles files_;
  std::unique_ptr<CredentialCache> plugin_;  ///< null without one
  TlsSettings tls_;
  TlsFiles::Change change_;
};

}  // namespace controller
