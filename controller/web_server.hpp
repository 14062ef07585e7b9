#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "controller/listen_address.hpp"
#include "controller/task_group.hpp"
#include "controller/tls_server.hpp"

namespace controller {

/// A GET or a HEAD; the server answers all else itself.
struct WebRequest {
  std::string path;           ///< of the target, without the query
  std::string authorization;  ///< the header, "" without it
};

struct WebAnswer {
  int status = 200;
  std::string body;  ///< not sent to a HEAD
  std::string content_type = "text/plain; charset=utf-8";
};

/// Whatever it throws, other than a cancellation, is logged and answered with 500.
using WebHandler = std::function<boost::asio::awaitable<WebAnswer>(WebRequest)>;

struct WebServerSettings {
  ListenAddress address;
  std::unique_ptr<TlsServer> tls;                                    ///< null: plain HTTP
  std::chrono::milliseconds read_timeout = std::chrono::seconds(5);  ///< TLS handshake and request
  std::chrono::milliseconds total_timeout = std::chrono::seconds(10);  ///< of one connection
  /// At a time. When there are more, one that has its answer is closed, or else the one that has
  /// been sending its request for longest; when all are being answered, further ones wait.
  std::size_t max_connections = 32;
};

/// HTTP/1.1 for probes and scrapes: one GET or HEAD per connection, without a body, a header of at
/// most 16 KiB. Runs on the event loop, so it answers as long as the loop does.
class WebServer {
 public:
  /// Listens at once. Fails with a sentence that names the address.
  static std::expected<std::unique_ptr<WebServer>, std::string> open(
      const boost::asio::any_io_executor& executor, WebServerSettings settings, WebHandler handler);
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  /// With the real port.
  ListenAddress address() const;
  /// Serves until cancelled. Every connection is a task of `tasks`, which has to be joined before
  /// the server is destroyed.
  boost::asio::awaitable<void> run(TaskGroup& tasks);

 private:
  class Impl;
  explicit WebServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace controller
