#pragma once

#include <sys/socket.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/system/error_code.hpp>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "controller/http_transport.hpp"

/// One connection of an HttpTransport, and how an answer is read from it. For http_transport.cpp
/// alone: this brings Beast along.
namespace controller {

inline constexpr std::uint32_t kHeaderLimit = 16 * 1024;

/// A TLS connection; closed by its destructor.
struct Connection {
  Connection(boost::asio::ip::tcp::socket socket, std::shared_ptr<TlsClient> its_tls)
      : tls(std::move(its_tls)), stream(std::move(socket), tls->new_connection()) {}
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { TlsClient::before_close(stream.native_handle()); }

  // Bytes on a connection that waits for nothing are a farewell, or worse.
  bool is_quiet() {
    char byte = 0;
    const auto got = ::recv(stream.next_layer().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

  /// Makes a stream that reads from it fail, now or at its next read.
  void retire() {
    retired = true;
    boost::system::error_code ignored;
    stream.next_layer().close(ignored);
  }

  std::shared_ptr<TlsClient> tls;
  boost::asio::ssl::stream<boost::asio::ip::tcp::socket> stream;
  Deadline usable_until;
  bool retired = false;
};
using ConnectionPtr = std::shared_ptr<Connection>;

/// An answer while it is read. Not movable: a moved Beast parser writes to where it was before.
struct Incoming {
  Incoming() = default;
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  /// The header, or of the body one read and what stands around a chunk.
  boost::beast::flat_buffer buffer{4 * kHeaderLimit};
  std::optional<boost::beast::http::response_parser<boost::beast::http::string_body>> parser;
  bool heard = false;  ///< at least one byte came
};

/// Sends the request and reads the header of the answer, past any 1xx.
boost::asio::awaitable<boost::system::error_code> ask(Connection& connection,
                                                      const std::string& wire, Incoming& incoming,
                                                      std::size_t max_body);

/// The next bytes of the body, at most what one read gives; empty at its end.
boost::asio::awaitable<boost::system::error_code> read_piece(Connection& connection,
                                                             Incoming& incoming,
                                                             std::string& piece);

/// The rest of the body, into the message of the parser.
boost::asio::awaitable<boost::system::error_code> read_rest(Connection& connection,
                                                            Incoming& incoming);

HttpHead head_of(const Incoming& incoming);

boost::asio::awaitable<boost::system::error_code> handshake(Connection& connection);
HttpError handshake_error(Connection& connection, const boost::system::error_code& code);

}  // namespace controller
