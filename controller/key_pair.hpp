#pragma once

#include <openssl/types.h>

#include <expected>
#include <string>
#include <vector>

#include "controller/pem.hpp"

namespace controller {

/// A certificate, with those that lead from it to its authority behind it, and its key.
struct KeyPair {
  std::vector<Certificate> chain;  ///< at least one
  PrivateKey key;
};

/// Reads both from PEM and checks that they are of one another. Fails with a sentence that calls
/// them by the given names and never quotes them.
std::expected<KeyPair, std::string> read_key_pair(const std::string& certificate_pem,
                                                  const std::string& certificate_name,
                                                  const std::string& key_pem,
                                                  const std::string& key_name);

/// Whether OpenSSL takes it: it refuses short keys and weak signatures.
bool can_be_used(const KeyPair& pair);

/// Shows it to the other side of connections of this context; false when OpenSSL does not take it.
bool use_key_pair(SSL_CTX* context, const KeyPair& pair);

}  // namespace controller
