#include "controller/http_connection.hpp"

#include <openssl/err.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>
#include <tuple>

#include "controller/transport_words.hpp"

namespace controller {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
// One TLS record. Beast reads no more at once than the buffer has room for.
constexpr std::size_t kReadSize = 16 * 1024;
constexpr int kMaxInterim = 8;  // 1xx answers before the real one

bool is_interim(const auto& parser) {
  return parser.is_done() && parser.get().result_int() / 100 == 1;
}

/// Reads the header of the answer, past any 1xx.
asio::awaitable<error_code> read_header(Connection& connection, Incoming& incoming,
                                        std::size_t max_body) {
  incoming.buffer.reserve(kReadSize);
  for (int interim = 0; interim < kMaxInterim; ++interim) {
    auto& parser = incoming.parser.emplace();
    parser.header_limit(kHeaderLimit);
    parser.body_limit(max_body);
    auto [error, size] =
        co_await http::async_read_header(connection.stream, incoming.buffer, parser, kAsTuple);
    incoming.heard = incoming.heard || parser.got_some() || incoming.buffer.size() > 0;
    if (error || !is_interim(parser)) co_return error;
  }
  co_return http::make_error_code(http::error::bad_status);
}

}  // namespace

asio::awaitable<error_code> ask(Connection& connection, const std::string& wire, Incoming& incoming,
                                std::size_t max_body) {
  auto [error, size] = co_await asio::async_write(connection.stream, asio::buffer(wire), kAsTuple);
  if (error) co_return error;
  co_return co_await read_header(connection, incoming, max_body);
}

asio::awaitable<error_code> read_piece(Connection& connection, Incoming& incoming,
                                       std::string& piece) {
  // What has arrived is taken out of the message at once: the body as a whole is not bounded.
  auto& parser = *incoming.parser;
  piece.clear();
  while (piece.empty() && !parser.is_done()) {
    auto [error, size] =
        co_await http::async_read_some(connection.stream, incoming.buffer, parser, kAsTuple);
    if (error) co_return error;
    std::swap(piece, parser.get().body());
  }
  co_return error_code();
}

asio::awaitable<error_code> read_rest(Connection& connection, Incoming& incoming) {
  if (incoming.parser->is_done()) co_return error_code();
  // Not parser->get(): for a bare message Beast makes a parser of its own, without our limits.
  auto [error, size] =
      co_await http::async_read(connection.stream, incoming.buffer, *incoming.parser, kAsTuple);
  co_return error;
}

HttpHead head_of(const Incoming& incoming) {
  const auto& message = incoming.parser->get();
  HttpHead head;
  head.status = static_cast<int>(message.result_int());
  head.content_type = std::string(message[http::field::content_type]);
  head.retry_after = std::string(message[http::field::retry_after]);
  head.date = std::string(message[http::field::date]);
  head.flow_schema = std::string(message["X-Kubernetes-PF-FlowSchema-UID"]);
  head.priority_level = std::string(message["X-Kubernetes-PF-PriorityLevel-UID"]);
  return head;
}

asio::awaitable<error_code> handshake(Connection& connection) {
  auto [error] =
      co_await connection.stream.async_handshake(asio::ssl::stream_base::client, kAsTuple);
  co_return error;
}

HttpError handshake_error(Connection& connection, const error_code& code) {
  HttpError out;
  out.certificate = connection.tls->handshake_failed(connection.stream.native_handle());
  if (out.certificate) {
    out.message = "the certificate of the server was refused: " + out.certificate->reason;
  } else {
    out.message = why_no_handshake(code);
  }
  ERR_clear_error();
  return out;
}

}  // namespace controller
