#include "controller/client_certificate.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include "controller/pem.hpp"

namespace controller {

std::expected<void, std::string> check_client_certificate(const std::string& certificate_pem,
                                                          const std::string& certificate_name,
                                                          const std::string& key_pem,
                                                          const std::string& key_name) {
  const auto chain = read_certificates(certificate_pem);
  if (!chain) return std::unexpected(fmt::format("{} {}", certificate_name, chain.error()));
  const auto key = read_private_key(key_pem);
  if (!key) return std::unexpected(fmt::format("{} {}", key_name, key.error()));
  if (!belong_together(chain->front(), *key)) {
    return std::unexpected(fmt::format("{} is not the key of {}", key_name, certificate_name));
  }
  if (const auto end = not_after(chain->front()); end < std::chrono::system_clock::now()) {
    return std::unexpected(fmt::format("{} expired at {:%Y-%m-%dT%H:%M:%SZ}: renew it",
                                       certificate_name,
                                       fmt::gmtime(std::chrono::system_clock::to_time_t(end))));
  }
  return {};
}

}  // namespace controller
