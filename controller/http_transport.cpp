#include "controller/http_transport.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>

#include "controller/http_wire.hpp"
#include "controller/slot_pool.hpp"
#include "controller/tcp_connector.hpp"
#include "controller/transport_words.hpp"
#include "controller/with_timeout.hpp"

namespace controller {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::beast::flat_buffer;
using boost::system::error_code;
using std::chrono::steady_clock;
using Parser = http::response_parser<http::string_body>;

namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t kHeaderLimit = 16 * 1024;
// One TLS record. Beast reads no more at once than the buffer has room for.
constexpr std::size_t kReadSize = 16 * 1024;
constexpr const char* kRetired = "the client certificate has changed";
constexpr int kMaxInterim = 8;  // 1xx answers before the real one

enum class Stage { Waiting, Connecting, Sent };

/// A TLS connection; closed by its destructor.
struct Connection {
  Connection(tcp::socket socket, std::shared_ptr<TlsClient> its_tls)
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
    error_code ignored;
    stream.next_layer().close(ignored);
  }

  std::shared_ptr<TlsClient> tls;
  asio::ssl::stream<tcp::socket> stream;
  Deadline usable_until;
  bool retired = false;
};
using ConnectionPtr = std::shared_ptr<Connection>;

HttpHead head_of(const Parser& parser) {
  const auto& message = parser.get();
  HttpHead head;
  head.status = static_cast<int>(message.result_int());
  head.content_type = std::string(message[http::field::content_type]);
  head.retry_after = std::string(message[http::field::retry_after]);
  return head;
}

bool is_interim(const Parser& parser) {
  return parser.is_done() && parser.get().result_int() / 100 == 1;
}

/// An answer while it is read. Not movable: a moved Beast parser writes to where it was before.
struct Incoming {
  Incoming() = default;
  Incoming(const Incoming&) = delete;
  Incoming& operator=(const Incoming&) = delete;

  flat_buffer buffer;
  std::optional<Parser> parser;
  bool heard = false;  ///< at least one byte came
};

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

class BodyStream final : public HttpStream {
 public:
  BodyStream(ConnectionPtr connection, std::unique_ptr<Incoming> incoming, std::size_t max_body)
      : connection_(std::move(connection)),
        incoming_(std::move(incoming)),
        head_(head_of(*incoming_->parser)),
        max_body_(max_body) {
    if (incoming_->parser->chunked()) incoming_->parser->body_limit(boost::none);
  }

  const HttpHead& head() const override { return head_; }

  asio::awaitable<std::expected<std::string_view, HttpError>> read_some(
      Deadline deadline) override {
    HttpError failure;
    failure.sent = true;
    if (!connection_) {
      failure.message = "the stream is closed";
      co_return std::unexpected(std::move(failure));
    }
    // Held here while it is read from, so that every way out but the good one closes it.
    auto connection = std::move(connection_);
    if (connection->retired) {
      failure.message = kRetired;
      co_return std::unexpected(std::move(failure));
    }
    const auto error = co_await with_timeout(deadline, read_piece(*connection));
    if (!error || *error) {
      failure.timed_out = !error;
      failure.message = error ? why_no_answer(*error, kHeaderLimit, max_body_) : "no data in time";
      if (connection->retired) failure.message = kRetired;
      co_return std::unexpected(std::move(failure));
    }
    if (!piece_.empty()) connection_ = std::move(connection);
    co_return std::string_view(piece_);
  }

 private:
  asio::awaitable<error_code> read_piece(Connection& connection) {
    // What has arrived is taken out of the message at once: the body as a whole is not bounded.
    auto& parser = *incoming_->parser;
    piece_.clear();
    while (piece_.empty() && !parser.is_done()) {
      auto [error, size] =
          co_await http::async_read_some(connection.stream, incoming_->buffer, parser, kAsTuple);
      if (error) co_return error;
      std::swap(piece_, parser.get().body());
    }
    co_return error_code();
  }

  ConnectionPtr connection_;
  std::unique_ptr<Incoming> incoming_;
  HttpHead head_;
  std::size_t max_body_;
  std::string piece_;
};

}  // namespace

class HttpTransport::Impl {
 public:
  explicit Impl(HttpServer server)
      : server_(std::move(server)),
        tls_(std::make_shared<TlsClient>(server_.tls)),
        connector_(server_.host, server_.port, server_.connect_timeout),
        slots_(server_.max_connections) {}

  using Connected = std::expected<ConnectionPtr, HttpError>;
  using Exchanged = std::expected<HttpResponse, HttpError>;
  using Opened = std::expected<std::unique_ptr<HttpStream>, HttpError>;

  asio::awaitable<Exchanged> exchange(const HttpRequest& request, Stage& stage) {
    const auto wire = to_wire(server_.host, server_.port, request);
    auto slot = co_await slots_.acquire();
    stage = Stage::Connecting;
    if (!may_send(request)) co_return std::unexpected(not_allowed());
    if (auto kept = take_kept()) {
      Incoming incoming;
      auto answer = co_await converse(std::move(kept), request, wire, stage, incoming);
      // The server may close a kept connection at the very moment we use it.
      const auto state = co_await asio::this_coro::cancellation_state;
      const bool cancelled = state.cancelled() != asio::cancellation_type::none;
      if (answer || incoming.heard || cancelled || !request.may_repeat) co_return answer;
      stage = Stage::Connecting;
    }
    auto fresh = co_await connect();
    if (!fresh) co_return std::unexpected(std::move(fresh).error());
    if (!may_send(request)) co_return std::unexpected(not_allowed());
    Incoming incoming;
    co_return co_await converse(std::move(*fresh), request, wire, stage, incoming);
  }

  asio::awaitable<Opened> open_stream(const HttpRequest& request, Stage& stage) {
    const auto wire = to_wire(server_.host, server_.port, request);
    stage = Stage::Connecting;
    auto connection = co_await connect();
    if (!connection) co_return std::unexpected(std::move(connection).error());
    auto incoming = std::make_unique<Incoming>();
    if (const auto error = co_await ask(**connection, wire, stage, *incoming)) {
      co_return std::unexpected(lost(error));
    }
    std::erase_if(streams_, [](const auto& one) { return one.expired(); });
    streams_.push_back(*connection);
    co_return std::make_unique<BodyStream>(std::move(*connection), std::move(incoming),
                                           server_.max_body);
  }

  void replace_tls(const TlsSettings& settings, bool end_streams) {
    tls_ = std::make_shared<TlsClient>(settings);
    server_.tls = settings;
    kept_.clear();
    if (!end_streams) return;
    for (const auto& one : streams_) {
      if (const auto connection = one.lock()) connection->retire();
    }
    streams_.clear();
  }

  HttpError late(Stage stage, std::chrono::milliseconds limit) const {
    HttpError out;
    out.sent = stage == Stage::Sent;
    out.timed_out = true;
    const auto time = in_words(limit);
    if (stage == Stage::Waiting) {
      out.message = fmt::format("none of {} connections became free within {}",
                                server_.max_connections, time);
    } else if (stage == Stage::Connecting) {
      out.message = fmt::format("no connection within {}", time);
    } else {
      out.message = fmt::format("no complete answer within {}", time);
    }
    return out;
  }

 private:
  bool may_send(const HttpRequest& request) const {
    return request.method == "GET" || !server_.may_write || server_.may_write();
  }

  static HttpError not_allowed() {
    HttpError out;
    out.message = "not sent, because this process may not change anything now";
    return out;
  }

  asio::awaitable<Connected> connect() {
    auto socket = co_await connector_.connect();
    if (!socket) {
      kept_.clear();  // the server may be gone, or they hold the file descriptors that we lack
      HttpError failure;
      failure.refused = socket.error().refused;
      failure.message = std::move(socket.error().message);
      co_return std::unexpected(std::move(failure));
    }
    auto connection = std::make_shared<Connection>(std::move(*socket), tls_);
    const auto limit = steady_clock::now() + server_.connect_timeout;
    const auto error = co_await with_timeout(limit, handshake(*connection));
    if (!error) {
      HttpError failure;
      failure.timed_out = true;
      failure.message =
          fmt::format("no end of the TLS handshake within {}", in_words(server_.connect_timeout));
      co_return std::unexpected(std::move(failure));
    }
    if (*error) co_return std::unexpected(handshake_error(*connection, *error));
    co_return connection;
  }

  /// Sends the request and reads the header of the answer.
  asio::awaitable<error_code> ask(Connection& connection, const std::string& wire, Stage& stage,
                                  Incoming& incoming) {
    stage = Stage::Sent;
    auto [error, size] =
        co_await asio::async_write(connection.stream, asio::buffer(wire), kAsTuple);
    if (error) co_return error;
    co_return co_await read_header(connection, incoming, server_.max_body);
  }

  /// Gives the body to the request's sink as it comes, so that it is never in memory as a whole.
  static asio::awaitable<error_code> pass_on_body(Connection& connection, Incoming& incoming,
                                                  const HttpRequest& request) {
    auto& parser = *incoming.parser;
    parser.body_limit(boost::none);
    for (;;) {
      const auto piece = std::exchange(parser.get().body(), {});
      if (!piece.empty() && !request.on_body(piece)) {
        co_return asio::error::operation_aborted;
      }
      if (parser.is_done()) co_return error_code();
      auto [error, size] =
          co_await http::async_read_some(connection.stream, incoming.buffer, parser, kAsTuple);
      if (error) co_return error;
    }
  }

  /// One request and its answer. The connection is kept when it is clear where the answer ends.
  asio::awaitable<Exchanged> converse(ConnectionPtr connection, const HttpRequest& request,
                                      const std::string& wire, Stage& stage, Incoming& incoming) {
    error_code error = co_await ask(*connection, wire, stage, incoming);
    auto& [buffer, parser, heard] = incoming;
    if (!error && request.on_body && parser->get().result_int() / 100 == 2) {
      error = co_await pass_on_body(*connection, incoming, request);
    } else if (!error && !parser->is_done()) {
      // Not parser->get(): for a bare message Beast makes a parser of its own, without our limits.
      std::tie(error, std::ignore) =
          co_await http::async_read(connection->stream, buffer, *parser, kAsTuple);
    }
    if (error) {
      kept_.clear();  // they lead to the same server, which may be gone
      co_return std::unexpected(lost(error));
    }
    HttpResponse response;
    response.head = head_of(*parser);
    response.body = std::move(parser->get().body());
    if (parser->keep_alive() && buffer.size() == 0) keep(std::move(connection));
    co_return response;
  }

  HttpError lost(const error_code& error) const {
    ERR_clear_error();
    HttpError out;
    out.sent = true;
    out.message = why_no_answer(error, kHeaderLimit, server_.max_body);
    return out;
  }

  // The one used last is used next, so that those we do not need grow old and are dropped.
  ConnectionPtr take_kept() {
    const auto now = steady_clock::now();
    std::erase_if(kept_, [now](const ConnectionPtr& one) { return one->usable_until <= now; });
    while (!kept_.empty()) {
      auto connection = std::move(kept_.back());
      kept_.pop_back();
      if (connection->is_quiet()) return connection;
    }
    return nullptr;
  }

  void keep(ConnectionPtr connection) {
    if (connection->tls != tls_) return;
    connection->usable_until = steady_clock::now() + server_.pool_idle;
    kept_.push_back(std::move(connection));
  }

  HttpServer server_;
  std::shared_ptr<TlsClient> tls_;
  TcpConnector connector_;
  SlotPool slots_;
  std::vector<ConnectionPtr> kept_;
  std::vector<std::weak_ptr<Connection>> streams_;
};

namespace {

// Of what was left of the deadline; tenths, because preparing the call has taken some microseconds.
std::chrono::milliseconds time_until(Deadline deadline) {
  using Tenths = std::chrono::duration<std::int64_t, std::deci>;
  return std::chrono::round<Tenths>(deadline - steady_clock::now());
}

}  // namespace

HttpTransport::HttpTransport(HttpServer server)
    : impl_(std::make_unique<Impl>(std::move(server))) {}

HttpTransport::~HttpTransport() = default;

void HttpTransport::replace_tls(const TlsSettings& settings, bool end_streams) {
  impl_->replace_tls(settings, end_streams);
}

asio::awaitable<std::expected<HttpResponse, HttpError>> HttpTransport::exchange(HttpRequest request,
                                                                                Deadline deadline) {
  const auto limit = time_until(deadline);
  Stage stage = Stage::Waiting;
  auto result = co_await with_timeout(deadline, impl_->exchange(request, stage));
  if (!result) co_return std::unexpected(impl_->late(stage, limit));
  co_return std::move(*result);
}

asio::awaitable<std::expected<std::unique_ptr<HttpStream>, HttpError>> HttpTransport::open_stream(
    HttpRequest request, Deadline deadline) {
  const auto limit = time_until(deadline);
  Stage stage = Stage::Connecting;
  auto result = co_await with_timeout(deadline, impl_->open_stream(request, stage));
  if (!result) co_return std::unexpected(impl_->late(stage, limit));
  co_return std::move(*result);
}

}  // namespace controller
