#pragma once

#include <openssl/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

struct ssl_session_st;  // SSL_SESSION, which <openssl/types.h> lacks

namespace controller {

struct TlsSettings {
  std::string server_name;      ///< DNS name or IP address that the server's certificate must carry
  std::string ca_pem;           ///< the only trust anchors; the system's are not used
  std::string certificate_pem;  ///< client certificate with its chain; may be empty
  std::string key_pem;          ///< of the client certificate
  bool verify = true;           ///< false: any certificate of the server will do
  bool operator==(const TlsSettings&) const = default;
};

/// Why the server's certificate was refused.
struct TlsRefusal {
  enum class Cause {
    Authority,  ///< not signed by a CA we were given
    Name,       ///< good, but for another server
    Validity,   ///< expired or not yet valid
  } cause = Cause::Authority;
  std::string reason;  ///< OpenSSL's words
};

/// Makes TLS client connections to one server: TLS 1.2 or newer, certificate and name verified
/// unless the settings say otherwise, sessions resumed. Plain OpenSSL, no I/O. Must not be moved:
/// OpenSSL keeps its address.
class TlsClient {
 public:
  /// Throws std::invalid_argument when the PEM texts are not usable; whoever read them has checked
  /// them.
  explicit TlsClient(const TlsSettings& settings);
  ~TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  /// A connection ready for its handshake. The caller owns it, and has to call before_close before
  /// it frees it.
  SSL* new_connection();
  /// OpenSSL takes a session for broken when its connection is freed without a shutdown; this says
  /// it was none.
  static void before_close(SSL* connection);
  /// After a failed handshake: nullopt when the certificate was not the reason. Drops the saved
  /// session, because a resumed one would skip the verification.
  std::optional<TlsRefusal> handshake_failed(const SSL* connection);

 private:
  struct Free {
    void operator()(SSL_CTX* context) const;
    void operator()(ssl_session_st* session) const;
  };

  void trust(const std::string& ca_pem);
  void load_identity(const TlsSettings& settings);
  static int on_new_session(SSL* connection, ssl_session_st* session);

  std::string server_name_;
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<ssl_session_st, Free> session_;
  std::chrono::steady_clock::time_point verified_at_;
};

}  // namespace controller
