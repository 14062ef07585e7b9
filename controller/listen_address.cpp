#include "controller/listen_address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <charconv>

namespace controller {
namespace {

bool is_ipv4(const std::string& host) {
  in_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

}  // namespace

bool ListenAddress::is_loopback() const {
  in_addr v4{};
  if (::inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24U) == 127;
  in6_addr v6{};
  return ::inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string ListenAddress::str() const {
  return host.contains(':') ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::expected<ListenAddress, std::string> parse_listen_address(std::string_view text) {
  const auto refuse = [text] {
    return std::unexpected(
        fmt::format("\"{}\" is not an address to listen on: IP:PORT, [IPv6]:PORT or :PORT for all "
                    "addresses, with a port from 0 to 65535 (0 = any free one)",
                    text));
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return refuse();
  ListenAddress out;
  const auto port = text.substr(colon + 1);
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), out.port);
  if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size()) return refuse();
  auto host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
  if (bracketed) host = host.substr(1, host.size() - 2);
  out.host = host;
  const bool valid = bracketed ? is_ipv6(out.host) : out.host.empty() || is_ipv4(out.host);
  if (!valid || host.contains('\0')) return refuse();
  return out;
}

}  // namespace controller
