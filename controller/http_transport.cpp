#include "controller/http_transport.hpp"

#include <fmt/format.h>
#include <openssl/err.h>

#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/none.hpp>
#include <optional>
#include <utility>
#include <vector>

#include "controller/http_connection.hpp"
#include "controller/http_wire.hpp"
#include "controller/slot_pool.hpp"
#include "controller/tcp_connector.hpp"
#include "controller/transport_words.hpp"
#include "controller/with_timeout.hpp"

namespace controller {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

constexpr const char* kRetired = "the client certificate has changed";

enum class Stage { Waiting, Connecting, Sent };

class BodyStream final : public HttpStream {
 public:
  BodyStream(ConnectionPtr connection, std::unique_ptr<Incoming> incoming, std::size_t max_body)
      : connection_(std::move(connection)),
        incoming_(std::move(incoming)),
        head_(head_of(*incoming_)),
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
    const auto error = co_await with_timeout(deadline, read_piece(*connection, *incoming_, piece_));
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
    stage = Stage::Sent;
    if (const auto error = co_await ask(**connection, wire, *incoming, server_.max_body)) {
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

  /// Gives the body to the request's sink as it comes, so that it is never in memory as a whole.
  static asio::awaitable<error_code> pass_on_body(Connection& connection, Incoming& incoming,
                                                  const HttpRequest& request) {
    incoming.parser->body_limit(boost::none);
    std::string piece;
    for (;;) {
      const auto error = co_await read_piece(connection, incoming, piece);
      if (error || piece.empty()) co_return error;
      if (!request.on_body(piece)) co_return asio::error::operation_aborted;
    }
  }

  /// One request and its answer. The connection is kept when it is clear where the answer ends.
  asio::awaitable<Exchanged> converse(ConnectionPtr connection, const HttpRequest& request,
                                      const std::string& wire, Stage& stage, Incoming& incoming) {
    stage = Stage::Sent;
    auto error = co_await ask(*connection, wire, incoming, server_.max_body);
    if (!error) {
      const bool wanted = request.on_body && incoming.parser->get().result_int() / 100 == 2;
      error = wanted ? co_await pass_on_body(*connection, incoming, request)
                     : co_await read_rest(*connection, incoming);
    }
    if (error) {
      kept_.clear();  // they lead to the same server, which may be gone
      co_return std::unexpected(lost(error));
    }
    HttpResponse response;
    response.head = head_of(incoming);
    response.body = std::move(incoming.parser->get().body());
    const bool in_step = incoming.parser->keep_alive() && incoming.buffer.size() == 0;
    if (in_step) keep(std::move(connection));
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
