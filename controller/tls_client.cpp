#include "controller/tls_client.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <new>
#include <stdexcept>

#include "controller/key_pair.hpp"
#include "controller/pem.hpp"

namespace controller {
namespace {

using Cause = TlsRefusal::Cause;

// A resumed session skips the verification of the certificate; once an hour it is verified again.
constexpr std::chrono::hours kSessionLifetime{1};

int context_index() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

void require(bool ok, const std::string& what) {
  if (ok) return;
  ERR_clear_error();
  throw std::invalid_argument(what);
}

/// Certificates and SNI name hosts without the dot at the end of a fully qualified name.
std::string without_root(std::string name) {
  if (name.ends_with('.')) name.pop_back();
  return name;
}

Cause cause_of(long verify_result) {
  switch (verify_result) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return Cause::Name;
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return Cause::Validity;
    default:
      return Cause::Authority;
  }
}

}  // namespace

void TlsClient::Free::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
void TlsClient::Free::operator()(SSL_SESSION* session) const { SSL_SESSION_free(session); }

TlsClient::TlsClient(const TlsSettings& settings)
    : server_name_(without_root(settings.server_name)), context_(SSL_CTX_new(TLS_client_method())) {
  if (!context_) throw std::bad_alloc();
  auto* context = context_.get();
  require(SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1, "TLS 1.2 is not available");
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  if (settings.verify) {
    trust(settings.ca_pem);
  } else {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  }
  if (!settings.certificate_pem.empty()) load_identity(settings);

  require(SSL_CTX_set_ex_data(context, context_index(), this) == 1, "out of memory");
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &TlsClient::on_new_session);
}

TlsClient::~TlsClient() = default;

void TlsClient::trust(const std::string& ca_pem) {
  auto* context = context_.get();
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);

  const auto anchors = read_certificates(ca_pem);
  require(anchors.has_value(), "the CA " + (anchors ? "" : anchors.error()));
  for (const auto& anchor : *anchors) {
    require(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), anchor.get()) == 1,
            "a CA certificate cannot be used");
  }
  // As in Go: what is in the CA file is trusted, also when it is not a root. Names come from SANs
  // only.
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
  X509_VERIFY_PARAM_set_hostflags(
      SSL_CTX_get0_param(context),
      X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
}

void TlsClient::load_identity(const TlsSettings& settings) {
  const auto pair = read_key_pair(settings.certificate_pem, "the client certificate",
                                  settings.key_pem, "the client key");
  require(pair.has_value(), pair ? "" : pair.error());
  require(use_key_pair(context_.get(), *pair), "the client certificate cannot be used");
}

SSL* TlsClient::new_connection() {
  SSL* ssl = SSL_new(context_.get());
  if (ssl == nullptr) throw std::bad_alloc();
  // One of the two checks is always on: a name that is no IP address is a host name.
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), server_name_.c_str()) != 1) {
    if (server_name_.empty() || SSL_set1_host(ssl, server_name_.c_str()) != 1 ||
        SSL_set_tlsext_host_name(ssl, server_name_.c_str()) != 1) {
      SSL_free(ssl);
      ERR_clear_error();
      throw std::invalid_argument("\"" + server_name_ + "\" is not the name of a server");
    }
  }
  if (std::chrono::steady_clock::now() - verified_at_ > kSessionLifetime) session_.reset();
  if (session_) SSL_set_session(ssl, session_.get());
  ERR_clear_error();
  return ssl;
}

void TlsClient::before_close(SSL* connection) {
  SSL_set_shutdown(connection, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

std::optional<TlsRefusal> TlsClient::handshake_failed(const SSL* connection) {
  session_.reset();
  const long result = SSL_get_verify_result(connection);
  const bool verified = SSL_get_verify_mode(connection) != SSL_VERIFY_NONE;
  if (result == X509_V_OK || !verified) return std::nullopt;
  return TlsRefusal{cause_of(result), X509_verify_cert_error_string(result)};
}

int TlsClient::on_new_session(SSL* connection, SSL_SESSION* session) {
  auto* self =
      static_cast<TlsClient*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), context_index()));
  // A ticket of a resumed connection is as old as the verification it stands for.
  if (SSL_session_reused(connection) == 0) self->verified_at_ = std::chrono::steady_clock::now();
  self->session_.reset(session);
  return 1;  // the reference is ours now
}

}  // namespace controller
