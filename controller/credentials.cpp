#include "controller/credentials.hpp"

#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "controller/exec_plugin.hpp"

namespace controller {

namespace asio = boost::asio;

Credentials::Credentials(const KubeConfig& config, std::chrono::milliseconds plugin_timeout,
                         CredentialCache::Clock clock)
    : clock_(std::move(clock)), tokens_(config), files_(config, clock_()) {
  tls_.server_name = config.tls_server_name.empty() ? config.host : config.tls_server_name;
  tls_.ca_pem = config.ca_pem;
  tls_.certificate_pem = config.client_certificate_pem;
  tls_.key_pem = config.client_key_pem;
  tls_.verify = !config.insecure_skip_tls_verify;
  if (!config.exec) return;
  auto login = [plugin = *config.exec, plugin_timeout] {
    return run_plugin(plugin, plugin_timeout);
  };
  plugin_ = std::make_unique<CredentialCache>(std::move(login), clock_);
}

asio::awaitable<std::expected<RequestCredential, std::string>> Credentials::current() {
  const auto change = files_.refresh(clock_());
  if (change.authority) tls_.ca_pem = files_.ca_pem();
  if (change.identity) {
    tls_.certificate_pem = files_.certificate_pem();
    tls_.key_pem = files_.key_pem();
  }
  change_.authority = change_.authority || change.authority;
  change_.identity = change_.identity || change.identity;

  RequestCredential out;
  if (!plugin_) {
    out.token = tokens_.current(clock_());
    out.at = clock_();
    co_return out;
  }
  auto answer = co_await plugin_->current();
  if (!answer) co_return std::unexpected(std::move(answer).error());
  if (answer->certificate_pem != tls_.certificate_pem || answer->key_pem != tls_.key_pem) {
    tls_.certificate_pem = answer->certificate_pem;
    tls_.key_pem = answer->key_pem;
    change_.identity = true;
  }
  out.token = answer->token;
  out.at = clock_();
  out.from_plugin = std::move(*answer);
  co_return out;
}

void Credentials::rejected(const RequestCredential& used) {
  tokens_.rejected(used.at);
  files_.rejected(used.at);
  if (plugin_ && used.from_plugin) plugin_->rejected(*used.from_plugin);
}

TlsFiles::Change Credentials::take_change() { return std::exchange(change_, {}); }

}  // namespace controller
