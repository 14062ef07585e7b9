#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace controller {

/// "10 s" or "250 ms".
std::string in_words(std::chrono::milliseconds duration);
/// The message of an error in the middle of a sentence, as in "connection refused".
std::string in_words(const boost::system::error_code& error);

/// Makes TCP connections to one host and port. An IP address is used as it is; a name is resolved
/// for each connection, by one look-up at a time. A look-up cannot be stopped (getaddrinfo): when
/// its caller gives up it goes on in Asio's resolver thread, bounded by the system's resolver (30 s
/// by default), and keeps the io_context running so long.
class TcpConnector {
 public:
  struct Failure {
    bool refused = false;  ///< nobody listens there
    std::string message;
  };
  using Socket = boost::asio::ip::tcp::socket;

  /// `timeout`: of the look-up, and of the connections to all addresses of the host together.
  TcpConnector(std::string host, std::string port, std::chrono::milliseconds timeout);

  /// A socket that notices a vanished peer within 35 s, also when idle: SO_KEEPALIVE 15/5/3 s and
  /// TCP_USER_TIMEOUT 30 s (measured: 29.9 s idle, 30.5 s with data under way). TCP_NODELAY.
  /// Whatever it has not delivered when it is closed, or when the process ends, is dropped
  /// (SO_LINGER 0): a request of an operator that has lost its Lease must not arrive later.
  boost::asio::awaitable<std::expected<Socket, Failure>> connect();

 private:
  struct Lookup;
  using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

  boost::asio::awaitable<std::expected<Endpoints, Failure>> resolve();
  boost::asio::awaitable<void> wait_for(std::shared_ptr<Lookup> lookup);
  std::shared_ptr<Lookup> start_lookup(const boost::asio::any_io_executor& executor);

  std::string host_;
  std::string port_;
  std::chrono::milliseconds timeout_;
  std::weak_ptr<Lookup> lookup_;
};

}  // namespace controller
