#pragma once

#include <openssl/types.h>

#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "crd/time.hpp"

namespace controller {

struct OpenSslFree {
  void operator()(X509* certificate) const;
  void operator()(EVP_PKEY* key) const;
};
using Certificate = std::unique_ptr<X509, OpenSslFree>;
using PrivateKey = std::unique_ptr<EVP_PKEY, OpenSslFree>;

/// Every certificate in a PEM text, in order; other blocks (a key beside them) are skipped. Fails
/// with what is wrong, as in "holds no PEM certificate".
std::expected<std::vector<Certificate>, std::string> read_certificates(std::string_view pem);

/// The first private key in a PEM text. An encrypted one is refused (nobody is there to type a
/// password).
std::expected<PrivateKey, std::string> read_private_key(std::string_view pem);

bool belong_together(const Certificate& certificate, const PrivateKey& key);

/// End of validity. A date OpenSSL cannot read counts as long past.
crd::TimePoint not_after(const Certificate& certificate);

}  // namespace controller
