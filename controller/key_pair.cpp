#include "controller/key_pair.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <new>
#include <utility>

namespace controller {

std::expected<KeyPair, std::string> read_key_pair(const std::string& certificate_pem,
                                                  const std::string& certificate_name,
                                                  const std::string& key_pem,
                                                  const std::string& key_name) {
  auto chain = read_certificates(certificate_pem);
  if (!chain) return std::unexpected(fmt::format("{} {}", certificate_name, chain.error()));
  auto key = read_private_key(key_pem);
  if (!key) return std::unexpected(fmt::format("{} {}", key_name, key.error()));
  if (!belong_together(chain->front(), *key)) {
    return std::unexpected(fmt::format("{} is not the key of {}", key_name, certificate_name));
  }
  return KeyPair{std::move(*chain), std::move(*key)};
}

bool can_be_used(const KeyPair& pair) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context{SSL_CTX_new(TLS_method()),
                                                                  SSL_CTX_free};
  if (!context) throw std::bad_alloc();
  return use_key_pair(context.get(), pair);
}

bool use_key_pair(SSL_CTX* context, const KeyPair& pair) {
  bool ok = SSL_CTX_use_certificate(context, pair.chain.front().get()) == 1;
  for (std::size_t i = 1; i < pair.chain.size(); ++i) {
    ok = ok && SSL_CTX_add1_chain_cert(context, pair.chain[i].get()) == 1;
  }
  ok = ok && SSL_CTX_use_PrivateKey(context, pair.key.get()) == 1;
  ERR_clear_error();
  return ok;
}

}  // namespace controller
