#include "controller/tcp_connector.hpp"

#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "controller/with_timeout.hpp"

namespace controller {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::steady_clock;

// Shared by everybody who waits for the look-up, and by the look-up itself, which may end after all
// of them.
struct TcpConnector::Lookup {
  explicit Lookup(const asio::any_io_executor& executor)
      : resolver(executor), finished(executor, steady_clock::time_point::max()) {}

  tcp::resolver resolver;
  asio::steady_timer finished;  // used as a condition variable
  bool done = false;
  error_code error;
  Endpoints endpoints;
};

namespace {

void set_option(int socket, int level, int name, int value, error_code& error) {
  if (!error && ::setsockopt(socket, level, name, &value, sizeof value) != 0) {
    error.assign(errno, boost::system::system_category());
  }
}

error_code open_socket(tcp::socket& socket, const tcp::endpoint& endpoint) {
  error_code error;
  socket.open(endpoint.protocol(), error);
  if (error) return error;
  const int fd = socket.native_handle();
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1, error);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1, error);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 15, error);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 5, error);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3, error);
  set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, 30'000, error);
  if (!error) socket.set_option(asio::socket_base::linger(true, 0), error);
  return error;
}

asio::awaitable<error_code> connect_socket(tcp::socket& socket, const tcp::endpoint& endpoint) {
  auto [error] = co_await socket.async_connect(endpoint, asio::as_tuple(asio::use_awaitable));
  co_return error;
}

}  // namespace

std::string in_words(std::chrono::milliseconds duration) {
  if (duration.count() % 1000 == 0) return fmt::format("{} s", duration.count() / 1000);
  return fmt::format("{} ms", duration.count());
}

std::string in_words(const error_code& error) {
  std::string text = error.message();
  const bool acronym = text.size() > 1 && std::isupper(static_cast<unsigned char>(text[1])) != 0;
  if (!text.empty() && !acronym) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

TcpConnector::TcpConnector(std::string host, std::string port, std::chrono::milliseconds timeout)
    : host_(std::move(host)), port_(std::move(port)), timeout_(timeout) {}

asio::awaitable<std::expected<tcp::socket, TcpConnector::Failure>> TcpConnector::connect() {
  auto executor = co_await asio::this_coro::executor;
  auto endpoints = co_await resolve();
  if (!endpoints) co_return std::unexpected(std::move(endpoints).error());

  // A share for each address, so that one that does not answer leaves time for the next.
  const auto share = timeout_ / static_cast<int>(endpoints->size());
  Failure failure;
  for (const auto& endpoint : *endpoints) {
    tcp::socket socket(executor);
    error_code error = open_socket(socket, endpoint);
    if (!error) {
      const auto connected =
          co_await with_timeout(steady_clock::now() + share, connect_socket(socket, endpoint));
      if (connected && !*connected) co_return std::move(socket);
      error = connected ? *connected : error_code(asio::error::timed_out);
    }
    failure.refused = error == asio::error::connection_refused;
    failure.message = error == asio::error::timed_out
                          ? fmt::format("no TCP connection within {}", in_words(share))
                          : in_words(error);
  }
  co_return std::unexpected(std::move(failure));
}

asio::awaitable<std::expected<TcpConnector::Endpoints, TcpConnector::Failure>>
TcpConnector::resolve() {
  error_code not_an_address;
  const auto address = asio::ip::make_address(host_, not_an_address);
  if (!not_an_address) {
    std::uint16_t port = 0;
    std::from_chars(port_.data(), port_.data() + port_.size(), port);
    co_return Endpoints{tcp::endpoint(address, port)};
  }

  auto lookup = lookup_.lock();
  if (!lookup || lookup->done) {
    auto executor = co_await asio::this_coro::executor;
    lookup = start_lookup(executor);
  }
  const auto deadline = steady_clock::now() + timeout_;
  Failure failure;
  if (!co_await finish_before(deadline, wait_for(lookup))) {
    failure.message =
        fmt::format("\"{}\" could not be resolved within {}", host_, in_words(timeout_));
    co_return std::unexpected(std::move(failure));
  }
  if (lookup->error || lookup->endpoints.empty()) {
    failure.message = fmt::format("\"{}\" could not be resolved: {}", host_,
                                  lookup->error ? in_words(lookup->error) : "no address");
    co_return std::unexpected(std::move(failure));
  }
  co_return lookup->endpoints;
}

std::shared_ptr<TcpConnector::Lookup> TcpConnector::start_lookup(
    const asio::any_io_executor& executor) {
  auto lookup = std::make_shared<Lookup>(executor);
  lookup_ = lookup;
  lookup->resolver.async_resolve(
      host_, port_, tcp::resolver::numeric_service,
      [lookup](const error_code& error, const tcp::resolver::results_type& results) {
        lookup->error = error;
        lookup->endpoints.assign(results.begin(), results.end());
        lookup->done = true;
        lookup->finished.cancel();
      });
  return lookup;
}

asio::awaitable<void> TcpConnector::wait_for(std::shared_ptr<Lookup> lookup) {
  while (!lookup->done) {
    co_await lookup->finished.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return;
  }
}

}  // namespace controller
