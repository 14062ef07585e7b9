#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <string>

namespace fake {

/// What a server on 127.0.0.1 sends until it closes the connection, after it got `bytes`.
boost::asio::awaitable<std::string> ask_plain(std::uint16_t port, std::string bytes);

/// The same over TLS, for a server whose certificate is for 127.0.0.1 and of this authority. "no
/// TLS" when the handshake fails.
boost::asio::awaitable<std::string> ask_tls(std::uint16_t port, std::string ca_pem,
                                            std::string bytes);

/// "GET /path HTTP/1.1" with Host and these header lines, each with its "\r\n".
std::string get(const std::string& path, const std::string& headers = "");

/// The part of an answer after its header.
std::string body_of(const std::string& answer);

}  // namespace fake
