// What an exec plugin printed, and PEM texts.
#include <string_view>

#include "controller/exec_credential.hpp"
#include "controller/pem.hpp"
#include "controller/redact.hpp"
#include "test/fuzz/fuzz_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto credential =
      controller::parse_exec_credential(text, "client.authentication.k8s.io/v1");
  if (credential) {
    fuzz::require(!credential->token.empty() || !credential->certificate_pem.empty(),
                  "a good credential has something in it");
    fuzz::require(credential->certificate_pem.empty() == credential->key_pem.empty(),
                  "a certificate comes with its key");
    fuzz::require(credential->token.find_first_of("\r\n") == std::string::npos,
                  "no token can end a header");
  } else {
    fuzz::require(!credential.error().empty(), "a refusal says why");
  }
  controller::read_certificates(text);
  controller::read_private_key(text);
  controller::redact_tokens(std::string(text));
  return 0;
}
