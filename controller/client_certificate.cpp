#include "controller/client_certificate.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <chrono>

#include "controller/key_pair.hpp"

namespace controller {

std::expected<std::chrono::system_clock::time_point, std::string> check_client_certificate(
    const std::string& certificate_pem, const std::string& certificate_name,
    const std::string& key_pem, const std::string& key_name) {
  const auto pair = read_key_pair(certificate_pem, certificate_name, key_pem, key_name);
  if (!pair) return std::unexpected(pair.error());
  const auto end = not_after(pair->chain.front());
  if (end < std::chrono::system_clock::now()) {
    return std::unexpected(fmt::format("{} expired at {:%Y-%m-%dT%H:%M:%SZ}: renew it",
                                       certificate_name,
                                       fmt::gmtime(std::chrono::system_clock::to_time_t(end))));
  }
  return end;
}

}  // namespace controller
