#include "controller/client_certificate.hpp"

#include <fmt/format.h>

#include "controller/key_pair.hpp"
#include "controller/wall_clock.hpp"

namespace controller {

std::expected<crd::TimePoint, std::string> check_client_certificate(
    const std::string& certificate_pem, const std::string& certificate_name,
    const std::string& key_pem, const std::string& key_name) {
  const auto pair = read_key_pair(certificate_pem, certificate_name, key_pem, key_name);
  if (!pair) return std::unexpected(pair.error());
  const auto end = not_after(pair->chain.front());
  if (end < wall_clock()) {
    return std::unexpected(
        fmt::format("{} expired at {}: renew it", certificate_name, crd::to_rfc3339(end)));
  }
  if (!can_be_used(*pair)) {
    return std::unexpected(fmt::format(
        "{} cannot be used: its key is too short, or its signature too weak, for OpenSSL",
        certificate_name));
  }
  return end;
}

}  // namespace controller
