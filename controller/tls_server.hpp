#pragma once

#include <openssl/types.h>

#include <cstdint>
#include <expected>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace controller {

/// Makes TLS server connections (1.2 or newer) with a certificate from files that are read again
/// when they change, as cert-manager and the kubelet change them. Plain OpenSSL, no I/O but the
/// files.
class TlsServer {
 public:
  /// Fails with a sentence that names the file and what is wrong with it.
  static std::expected<std::unique_ptr<TlsServer>, std::string> open(
      std::filesystem::path certificate_file, std::filesystem::path key_file);

  /// A connection ready for its handshake, which the caller owns; null when memory is short. New
  /// files that are not usable are logged, and the last good ones stay.
  SSL* new_connection();

 private:
  struct Free {
    void operator()(SSL_CTX* context) const;
  };
  using Context = std::unique_ptr<SSL_CTX, Free>;
  using Stamp = std::vector<std::int64_t>;  ///< changes when the files do

  TlsServer(std::filesystem::path certificate_file, std::filesystem::path key_file);
  std::expected<Context, std::string> load() const;
  Stamp stamp() const;

  std::filesystem::path certificate_file_;
  std::filesystem::path key_file_;
  Stamp tried_;
  Context context_;
};

}  // namespace controller
