#pragma once

#include <chrono>
#include <memory>
#include <string>

namespace fake {

/// A certificate with its key, both as PEM.
struct Identity {
  std::string certificate_pem;
  std::string key_pem;
};

struct CertificateRequest {
  std::string common_name = "test";
  /// As in OpenSSL's configuration: "IP:127.0.0.1,DNS:localhost"; may be empty.
  std::string subject_alt_name = {};
  std::chrono::seconds valid_from = -std::chrono::hours(1);  ///< relative to now
  std::chrono::seconds valid_until = std::chrono::hours(1);
  bool short_key = false;  ///< RSA with 1024 bits, which OpenSSL does not take for TLS
};

/// A certificate authority made on the spot, so that no key is in the repository and no test
/// expires.
class CertificateAuthority {
 public:
  explicit CertificateAuthority(const std::string& common_name = "test CA");
  ~CertificateAuthority();
  const std::string& pem() const { return pem_; }
  Identity issue(const CertificateRequest& request) const;
  /// The authority itself as a server.
  Identity self_signed() const;

 private:
  struct Keys;
  std::unique_ptr<Keys> keys_;
  std::string pem_;
};

}  // namespace fake
