#include "test/fake/https_server.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <set>
#include <tuple>
#include <utility>

namespace fake {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

std::string common_name(SSL* connection) {
  const std::unique_ptr<X509, void (*)(X509*)> certificate(SSL_get1_peer_certificate(connection),
                                                           X509_free);
  if (!certificate) return {};
  std::array<char, 256> name{};
  X509_NAME_get_text_by_NID(X509_get_subject_name(certificate.get()), NID_commonName, name.data(),
                            static_cast<int>(name.size()));
  return name.data();
}

Request to_request(const http::request<http::string_body>& message, int connection) {
  Request out;
  out.method = std::string(message.method_string());
  out.target = std::string(message.target());
  for (const auto& field : message) {
    out.headers[lower(std::string(field.name_string()))] = std::string(field.value());
  }
  out.body = message.body();
  out.connection = connection;
  return out;
}

}  // namespace

Reply answer(int status, std::string_view body, std::string_view content_type,
             std::string_view headers) {
  Reply reply;
  std::string head = "HTTP/1.1 " + std::to_string(status) + " Scripted\r\n";
  head.append("Content-Type: ").append(content_type).append("\r\n").append(headers);
  head += "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  reply.pieces.push_back(head.append(body));
  return reply;
}

namespace {

asio::ssl::context new_context(const Identity& identity) {
  asio::ssl::context tls(asio::ssl::context::tls_server);
  tls.use_certificate_chain(asio::buffer(identity.certificate_pem));
  tls.use_private_key(asio::buffer(identity.key_pem), asio::ssl::context::pem);
  return tls;
}

}  // namespace

struct HttpsServer::State {
  State(asio::io_context& its_io, const Identity& identity)
      : io(its_io),
        tls(new_context(identity)),
        acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)),
        handler([](const Request&) { return answer(500, "{}"); }) {}

  asio::io_context& io;
  asio::ssl::context tls;
  tcp::acceptor acceptor;
  Handler handler;
  std::string plain;
  bool silent = false;
  std::vector<Request> requests;
  int connections = 0;
  int resumed = 0;
  std::set<tcp::socket*> sockets;  // of the sessions that run
};

namespace {

// The sessions are templates over the private State; only this file sees it.
template <typename State>
asio::awaitable<void> converse(std::shared_ptr<State> state,
                               asio::ssl::stream<tcp::socket>& stream) {
  auto [failed] = co_await stream.async_handshake(asio::ssl::stream_base::server, kAsTuple);
  if (failed) co_return;
  const int connection = ++state->connections;
  const auto client = common_name(stream.native_handle());
  state->resumed += SSL_session_reused(stream.native_handle());
  boost::beast::flat_buffer buffer;
  while (true) {
    http::request<http::string_body> message;
    auto [error, size] = co_await http::async_read(stream, buffer, message, kAsTuple);
    if (error) co_return;
    state->requests.push_back(to_request(message, connection));
    state->requests.back().client = client;
    const Reply reply = state->handler(state->requests.back());
    for (const auto& piece : reply.pieces) {
      auto [broken, written] = co_await asio::async_write(stream, asio::buffer(piece), kAsTuple);
      if (broken) co_return;
    }
    if (reply.then == Reply::Then::Cut) co_return;
    if (reply.then == Reply::Then::Close) {
      // Asio would wait for the farewell of the other end, which servers do not.
      boost::system::error_code ignored;
      stream.next_layer().shutdown(tcp::socket::shutdown_receive, ignored);
      co_await stream.async_shutdown(kAsTuple);
      co_return;
    }
    if (reply.then == Reply::Then::Hang) {
      std::array<char, 1> nothing{};
      co_await stream.async_read_some(asio::buffer(nothing), kAsTuple);
      co_return;
    }
  }
}

asio::awaitable<void> drain(tcp::socket& socket) {
  std::array<char, 4096> bytes{};
  boost::system::error_code error;
  while (!error) {
    std::tie(error, std::ignore) = co_await socket.async_read_some(asio::buffer(bytes), kAsTuple);
  }
}

template <typename State>
asio::awaitable<void> serve(std::shared_ptr<State> state, tcp::socket socket) {
  asio::ssl::stream<tcp::socket> stream(std::move(socket), state->tls);
  auto& plain_socket = stream.next_layer();
  state->sockets.insert(&plain_socket);
  if (!state->plain.empty()) {
    co_await asio::async_write(plain_socket, asio::buffer(state->plain), kAsTuple);
    std::array<char, 4096> hello{};
    co_await plain_socket.async_read_some(asio::buffer(hello), kAsTuple);
  } else if (state->silent) {
    co_await drain(plain_socket);
  } else {
    co_await converse(state, stream);
  }
  state->sockets.erase(&plain_socket);
}

template <typename State>
asio::awaitable<void> accept(std::shared_ptr<State> state) {
  while (true) {
    auto [error, socket] = co_await state->acceptor.async_accept(kAsTuple);
    if (error) co_return;
    asio::co_spawn(state->io, serve(state, std::move(socket)), asio::detached);
  }
}

}  // namespace

HttpsServer::HttpsServer(asio::io_context& io, const Identity& identity)
    : state_(std::make_shared<State>(io, identity)) {
  asio::co_spawn(io, accept(state_), asio::detached);
}

HttpsServer::~HttpsServer() { stop(); }

void HttpsServer::on_request(Handler handler) { state_->handler = std::move(handler); }
void HttpsServer::speak_plain(std::string bytes) { state_->plain = std::move(bytes); }
void HttpsServer::stay_silent() { state_->silent = true; }

void HttpsServer::demand_certificate(const std::string& ca_pem) {
  state_->tls.add_certificate_authority(asio::buffer(ca_pem));
  state_->tls.set_verify_mode(asio::ssl::verify_peer | asio::ssl::verify_fail_if_no_peer_cert);
  // A session can only be resumed by a server that gives its sessions a name.
  constexpr std::array<unsigned char, 4> kName{'t', 'e', 's', 't'};
  SSL_CTX_set_session_id_context(state_->tls.native_handle(), kName.data(), kName.size());
}

void HttpsServer::speak_old_tls() {
  SSL_CTX_set_max_proto_version(state_->tls.native_handle(), TLS1_1_VERSION);
  SSL_CTX_set_min_proto_version(state_->tls.native_handle(), TLS1_VERSION);
  SSL_CTX_set_cipher_list(state_->tls.native_handle(), "DEFAULT@SECLEVEL=0");
}

void HttpsServer::hide_certificate() {
  state_->tls = asio::ssl::context(asio::ssl::context::tls_server);
}

void HttpsServer::show_certificate(const Identity& identity) {
  state_->tls = new_context(identity);
}

void HttpsServer::stop() {
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  for (auto* socket : state_->sockets) socket->close(ignored);
}

std::uint16_t HttpsServer::port() const { return state_->acceptor.local_endpoint().port(); }
const std::vector<Request>& HttpsServer::requests() const { return state_->requests; }
int HttpsServer::connections() const { return state_->connections; }
int HttpsServer::resumed() const { return state_->resumed; }
int HttpsServer::open() const { return static_cast<int>(state_->sockets.size()); }

}  // namespace fake
