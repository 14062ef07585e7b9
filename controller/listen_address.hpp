#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace controller {

/// Where a server listens.
struct ListenAddress {
  std::string host;  ///< IP address, IPv6 without brackets; empty: all addresses of the machine
  std::uint16_t port = 0;  ///< 0: any free one
  bool is_loopback() const;
  /// "127.0.0.1:8080", "[::1]:8080", ":8080".
  std::string str() const;
  bool operator==(const ListenAddress&) const = default;
};

/// Reads what str() writes. Names are refused: what they mean depends on who is asked. Fails with a
/// sentence that says what is allowed.
std::expected<ListenAddress, std::string> parse_listen_address(std::string_view text);

}  // namespace controller
