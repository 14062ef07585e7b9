#include "test/fake/test_certificates.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <memory>
#include <utility>

#include "controller/pem.hpp"

namespace fake {

using controller::Certificate;
using controller::PrivateKey;

struct CertificateAuthority::Keys {
  Certificate certificate;
  PrivateKey key;
};

namespace {

void require(bool ok) {
  if (!ok) std::abort();  // OpenSSL cannot make a certificate: no test can run
}

template <typename Write>
std::string to_pem(Write write) {
  const std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new(BIO_s_mem()), BIO_free);
  require(write(bio.get()) == 1);
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

std::string certificate_pem(const Certificate& certificate) {
  return to_pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
}

std::string key_pem(const PrivateKey& key) {
  return to_pem([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  const std::unique_ptr<X509_EXTENSION, void (*)(X509_EXTENSION*)> extension(
      X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str()), X509_EXTENSION_free);
  require(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

void set_name(X509_NAME* name, const std::string& common_name) {
  const auto* text = reinterpret_cast<const unsigned char*>(common_name.c_str());
  require(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1);
}

Certificate unsigned_certificate(const CertificateRequest& request, EVP_PKEY* key) {
  static long serial = 0;
  Certificate out(X509_new());
  require(out != nullptr && X509_set_version(out.get(), X509_VERSION_3) == 1);
  ASN1_INTEGER_set(X509_get_serialNumber(out.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(out.get()), static_cast<long>(request.valid_from.count()));
  X509_gmtime_adj(X509_getm_notAfter(out.get()), static_cast<long>(request.valid_until.count()));
  set_name(X509_get_subject_name(out.get()), request.common_name);
  require(X509_set_pubkey(out.get(), key) == 1);
  return out;
}

}  // namespace

CertificateAuthority::CertificateAuthority(const std::string& common_name)
    : keys_(std::make_unique<Keys>()) {
  keys_->key.reset(EVP_EC_gen("P-256"));
  CertificateRequest request;
  request.common_name = common_name;
  keys_->certificate = unsigned_certificate(request, keys_->key.get());
  auto* certificate = keys_->certificate.get();
  require(X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1);
  add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
  require(X509_sign(certificate, keys_->key.get(), EVP_sha256()) > 0);
  pem_ = certificate_pem(keys_->certificate);
}

CertificateAuthority::~CertificateAuthority() = default;

Identity CertificateAuthority::issue(const CertificateRequest& request) const {
  const PrivateKey key(request.short_key ? EVP_RSA_gen(1024U) : EVP_EC_gen("P-256"));
  const auto certificate = unsigned_certificate(request, key.get());
  require(X509_set_issuer_name(certificate.get(),
                               X509_get_subject_name(keys_->certificate.get())) == 1);
  if (!request.subject_alt_name.empty()) {
    add_extension(certificate.get(), NID_subject_alt_name, request.subject_alt_name);
  }
  require(X509_sign(certificate.get(), keys_->key.get(), EVP_sha256()) > 0);
  return Identity{certificate_pem(certificate), key_pem(key)};
}

Identity CertificateAuthority::self_signed() const { return Identity{pem_, key_pem(keys_->key)}; }

}  // namespace fake
