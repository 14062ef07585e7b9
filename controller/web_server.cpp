#include "controller/web_server.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/system/system_error.hpp>
#include <list>
#include <optional>
#include <string_view>
#include <utility>

#include "controller/log.hpp"
#include "controller/slot_pool.hpp"
#include "controller/with_timeout.hpp"

namespace controller {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr std::uint32_t kHeaderLimit = 16 * 1024;
constexpr std::chrono::seconds kFarewell{1};
constexpr std::chrono::seconds kAcceptPause{1};
using TlsStream = asio::ssl::stream<tcp::socket>;

/// A request, or the answer to what is none.
struct Heard {
  std::optional<WebRequest> request;
  WebAnswer refusal;
  bool is_head = false;
  bool is_silent = false;  ///< the peer left without asking for anything
};

Heard refusal(http::status status, std::string why) {
  Heard out;
  out.refusal.status = static_cast<int>(status);
  out.refusal.body = std::move(why) + "\n";
  return out;
}

Heard refusal(const error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return refusal(http::status::request_header_fields_too_large,
                   fmt::format("the header is longer than {} bytes", kHeaderLimit));
  }
  if (error == http::error::body_limit) {
    return refusal(http::status::payload_too_large, "a request has no body here");
  }
  if (error.category() == http::make_error_code(http::error::bad_version).category() &&
      error != http::error::end_of_stream && error != http::error::partial_message) {
    return refusal(http::status::bad_request, "this is no HTTP/1.1 request");
  }
  Heard out;
  out.is_silent = true;
  return out;
}

/// The part of a target in absolute form (RFC 9112, section 3.2.2) that is meant here.
std::string_view without_authority(std::string_view target) {
  const auto scheme = target.find("://");
  if (target.starts_with('/') || scheme == std::string_view::npos) return target;
  const auto path = target.find('/', scheme + 3);
  return path == std::string_view::npos ? "/" : target.substr(path);
}

template <typename Stream>
asio::awaitable<Heard> hear(Stream& stream) {
  boost::beast::flat_buffer buffer{kHeaderLimit + 1};
  http::request_parser<http::empty_body> parser;
  parser.header_limit(kHeaderLimit);
  parser.body_limit(0);
  auto [error, size] = co_await http::async_read_header(stream, buffer, parser, kAsTuple);
  if (error) co_return refusal(error);
  const auto& message = parser.get();
  if (parser.chunked() || parser.content_length_remaining().value_or(0) > 0) {
    co_return refusal(http::status::payload_too_large, "a request has no body here");
  }
  if (message.method() != http::verb::get && message.method() != http::verb::head) {
    co_return refusal(http::status::method_not_allowed, "only GET and HEAD");
  }
  Heard out;
  out.is_head = message.method() == http::verb::head;
  const auto target = without_authority(message.target());
  auto& request = out.request.emplace();
  request.path = std::string(target.substr(0, target.find('?')));
  request.authorization = std::string(message[http::field::authorization]);
  co_return out;
}

std::string to_wire(const WebAnswer& answer, bool is_head) {
  const auto status = http::int_to_status(static_cast<unsigned>(answer.status));
  auto out = fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n",
      answer.status, std::string_view(http::obsolete_reason(status)), answer.content_type,
      answer.body.size());
  if (status == http::status::unauthorized) out += "WWW-Authenticate: Bearer\r\n";
  if (status == http::status::method_not_allowed) out += "Allow: GET, HEAD\r\n";
  out += "\r\n";
  if (!is_head) out += answer.body;
  return out;
}

/// Closing a socket with unread bytes resets the connection, and the peer may lose our answer.
asio::awaitable<void> read_the_rest(tcp::socket& socket) {
  error_code error;
  socket.shutdown(tcp::socket::shutdown_send, error);
  std::array<char, 4096> ignored{};
  for (std::size_t total = 0; !error && total < 16 * kHeaderLimit;) {
    const auto [failure, size] = co_await socket.async_read_some(asio::buffer(ignored), kAsTuple);
    error = failure;
    total += size;
  }
}

asio::awaitable<bool> end_tls(TlsStream& stream) {
  auto [error] = co_await stream.async_shutdown(kAsTuple);
  co_return !error;
}

asio::awaitable<bool> shake_hands(TlsStream& stream) {
  auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::server, kAsTuple);
  ERR_clear_error();
  co_return !error;
}

tcp::endpoint endpoint_of(const ListenAddress& address) {
  if (address.host.empty()) return {tcp::v6(), address.port};
  return {asio::ip::make_address(address.host), address.port};
}

error_code listen(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, bool both_families) {
  error_code error;
  const auto go_on = [&error] { return !error; };
  acceptor.close(error);
  acceptor.open(endpoint.protocol(), error);
  if (go_on()) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (go_on() && both_families) acceptor.set_option(asio::ip::v6_only(false), error);
  if (go_on()) acceptor.bind(endpoint, error);
  if (go_on()) acceptor.listen(tcp::acceptor::max_listen_connections, error);
  return error;
}

}  // namespace

class WebServer::Impl {
 public:
  Impl(const asio::any_io_executor& executor, WebServerSettings settings, WebHandler handler)
      : settings_(std::move(settings)),
        handler_(std::move(handler)),
        acceptor_(executor),
        slots_(settings_.max_connections) {}

  std::string open() {
    const bool all = settings_.address.host.empty();
    auto error = listen(acceptor_, endpoint_of(settings_.address), all);
    // A machine without IPv6.
    if (all && (error == asio::error::address_family_not_supported ||
                error == error_code(EADDRNOTAVAIL, boost::system::system_category()))) {
      error = listen(acceptor_, {tcp::v4(), settings_.address.port}, false);
    }
    if (error)
      return fmt::format("cannot listen on {}: {}", settings_.address.str(), error.message());
    settings_.address.port = acceptor_.local_endpoint().port();
    return {};
  }

  ListenAddress address() const { return settings_.address; }

  asio::awaitable<void> run(TaskGroup& tasks) {
    bool failing = false;
    for (;;) {
      auto [error, socket] = co_await acceptor_.async_accept(kAsTuple);
      if (!error) {
        failing = false;
        if (slots_.free() == 0 && !closable_.empty()) close_socket(*closable_.front());
        tasks.spawn(serve(std::move(socket), co_await slots_.acquire()));
        continue;
      }
      // As when all file descriptors are in use; said once, and tried again.
      if (!std::exchange(failing, true) && error != asio::error::operation_aborted) {
        log(LogLevel::Warning, "cannot accept a connection",
            {{"address", settings_.address.str()}, {"error", error.message()}});
      }
      asio::steady_timer pause{acceptor_.get_executor(), kAcceptPause};
      co_await pause.async_wait(asio::use_awaitable);
    }
  }

 private:
  /// A connection that may be closed when others want to be served: as long as it has not sent its
  /// whole request, and once it has its answer.
  class Closable {
   public:
    Closable(std::list<tcp::socket*>& all, tcp::socket& socket) : all_(all), socket_(&socket) {
      all_.push_back(socket_);
    }
    ~Closable() { all_.remove(socket_); }
    Closable(const Closable&) = delete;
    Closable& operator=(const Closable&) = delete;
    void is_answered() { all_.remove(socket_); }
    void was_answered() { all_.push_front(socket_); }

   private:
    std::list<tcp::socket*>& all_;
    tcp::socket* socket_;
  };

  static void close_socket(tcp::socket& socket) {
    error_code ignored;
    socket.close(ignored);
  }

  asio::awaitable<void> serve(tcp::socket socket, SlotPool::Slot /*slot*/) {
    const auto now = steady_clock::now();
    const auto end = now + settings_.total_timeout;
    const auto read_until = now + settings_.read_timeout;
    if (settings_.tls) {
      co_await finish_before(end, serve_tls(std::move(socket), read_until));
    } else {
      co_await finish_before(end, serve_plain(std::move(socket), read_until));
    }
  }

  asio::awaitable<void> serve_plain(tcp::socket socket, steady_clock::time_point read_until) {
    Closable closable{closable_, socket};
    const bool all_read = co_await converse(socket, closable, read_until);
    if (all_read) co_return;
    co_await finish_before(steady_clock::now() + kFarewell, read_the_rest(socket));
  }

  asio::awaitable<void> serve_tls(tcp::socket socket, steady_clock::time_point read_until) {
    SSL* connection = settings_.tls->new_connection();
    if (connection == nullptr) co_return;
    TlsStream stream{std::move(socket), connection};
    Closable closable{closable_, stream.next_layer()};
    const auto shaken = co_await with_timeout(read_until, shake_hands(stream));
    if (!shaken.value_or(false)) co_return;
    const bool all_read = co_await converse(stream, closable, read_until);
    co_await with_timeout(steady_clock::now() + kFarewell, end_tls(stream));
    ERR_clear_error();
    if (all_read) co_return;
    co_await finish_before(steady_clock::now() + kFarewell, read_the_rest(stream.next_layer()));
  }

  /// False when there may be unread bytes.
  template <typename Stream>
  asio::awaitable<bool> converse(Stream& stream, Closable& closable,
                                 steady_clock::time_point read_until) {
    auto heard = co_await with_timeout(read_until, hear(stream));
    closable.is_answered();
    if (!heard || heard->is_silent) co_return true;
    const bool is_request = heard->request.has_value();
    auto answer = std::move(heard->refusal);
    if (is_request) answer = co_await handle(*std::move(heard->request));
    const auto wire = to_wire(answer, heard->is_head);
    co_await asio::async_write(stream, asio::buffer(wire), kAsTuple);
    closable.was_answered();
    co_return is_request;
  }

  asio::awaitable<WebAnswer> handle(WebRequest request) {
    const auto path = request.path;
    try {
      co_return co_await handler_(std::move(request));
    } catch (const boost::system::system_error& error) {
      if (error.code() == asio::error::operation_aborted) throw;
      log(LogLevel::Error, "request failed", {{"path", path}, {"error", error.what()}});
    } catch (const std::exception& error) {
      log(LogLevel::Error, "request failed", {{"path", path}, {"error", error.what()}});
    }
    WebAnswer answer;
    answer.status = static_cast<int>(http::status::internal_server_error);
    answer.body = "internal error, see the log\n";
    co_return answer;
  }

  WebServerSettings settings_;
  WebHandler handler_;
  tcp::acceptor acceptor_;
  SlotPool slots_;
  /// First those that have their answer, then those that have been asking for longest.
  std::list<tcp::socket*> closable_;
};

WebServer::WebServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebServer::~WebServer() = default;

std::expected<std::unique_ptr<WebServer>, std::string> WebServer::open(
    const asio::any_io_executor& executor, WebServerSettings settings, WebHandler handler) {
  auto impl = std::make_unique<Impl>(executor, std::move(settings), std::move(handler));
  if (auto wrong = impl->open(); !wrong.empty()) return std::unexpected(std::move(wrong));
  return std::unique_ptr<WebServer>{new WebServer{std::move(impl)}};
}

ListenAddress WebServer::address() const { return impl_->address(); }

asio::awaitable<void> WebServer::run(TaskGroup& tasks) { return impl_->run(tasks); }

}  // namespace controller
