#include "test/fake/web_client.hpp"

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <utility>

namespace fake {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);

template <typename Stream>
asio::awaitable<std::string> talk(Stream& stream, const std::string& bytes) {
  std::string heard;
  co_await asio::async_write(stream, asio::buffer(bytes), kAsTuple);
  std::array<char, 4096> piece{};
  for (;;) {
    const auto [error, size] = co_await stream.async_read_some(asio::buffer(piece), kAsTuple);
    heard.append(piece.data(), size);
    if (error) co_return heard;
  }
}

asio::awaitable<tcp::socket> connected(std::uint16_t port) {
  tcp::socket socket{co_await asio::this_coro::executor};
  const tcp::endpoint server{asio::ip::address_v4::loopback(), port};
  co_await socket.async_connect(server, asio::use_awaitable);
  co_return socket;
}

}  // namespace

asio::awaitable<std::string> ask_plain(std::uint16_t port, std::string bytes) {
  auto socket = co_await connected(port);
  co_return co_await talk(socket, bytes);
}

asio::awaitable<std::string> ask_tls(std::uint16_t port, std::string ca_pem, std::string bytes) {
  asio::ssl::context context{asio::ssl::context::tls_client};
  context.set_verify_mode(asio::ssl::verify_peer);
  context.add_certificate_authority(asio::buffer(ca_pem));
  asio::ssl::stream<tcp::socket> stream{co_await connected(port), context};
  stream.set_verify_callback(asio::ssl::host_name_verification("127.0.0.1"));
  const auto [error] = co_await stream.async_handshake(asio::ssl::stream_base::client, kAsTuple);
  if (error) co_return "no TLS";
  co_return co_await talk(stream, bytes);
}

std::string get(const std::string& path, const std::string& headers) {
  return "GET " + path + " HTTP/1.1\r\nHost: test\r\n" + headers + "\r\n";
}

std::string body_of(const std::string& answer) {
  const auto end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

}  // namespace fake
