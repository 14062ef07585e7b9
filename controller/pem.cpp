#include "controller/pem.hpp"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <ctime>

namespace controller {
namespace {

struct BioFree {
  void operator()(BIO* bio) const { BIO_free(bio); }
};

std::unique_ptr<BIO, BioFree> read_only(std::string_view text) {
  return std::unique_ptr<BIO, BioFree>(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// Without it OpenSSL would ask for the password on the terminal.
int no_password(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return -1; }

}  // namespace

void OpenSslFree::operator()(X509* certificate) const { X509_free(certificate); }
void OpenSslFree::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

std::expected<std::vector<Certificate>, std::string> read_certificates(std::string_view pem) {
  const auto bio = read_only(pem);
  std::vector<Certificate> out;
  while (Certificate one{PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)}) {
    out.push_back(std::move(one));
  }
  // The loop ends with "no start line" at the end of the text, and with anything else inside a
  // broken block.
  const auto error = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!at_end) return std::unexpected("holds a damaged PEM certificate");
  if (out.empty()) return std::unexpected("holds no PEM certificate");
  return out;
}

std::expected<PrivateKey, std::string> read_private_key(std::string_view pem) {
  const auto bio = read_only(pem);
  PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  ERR_clear_error();
  if (key) return key;
  if (pem.contains("ENCRYPTED"))
    return std::unexpected("holds an encrypted key, which is not supported");
  return std::unexpected("holds no PEM private key");
}

bool belong_together(const Certificate& certificate, const PrivateKey& key) {
  const bool same = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return same;
}

crd::TimePoint not_after(const Certificate& certificate) {
  std::tm utc{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate.get()), &utc) != 1) return {};
  return crd::TimePoint{std::chrono::seconds{timegm(&utc)}};
}

}  // namespace controller
