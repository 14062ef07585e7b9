#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/tls_client.hpp"

namespace controller {

/// One server and how to talk to it.
struct HttpServer {
  std::string host;  ///< DNS name or IP address (IPv6 without brackets)
  std::string port;
  TlsSettings tls;
  std::chrono::milliseconds
      connect_timeout;                  ///< name resolution, TCP connect and TLS handshake, each
  std::chrono::milliseconds pool_idle;  ///< a connection unused for longer is not used again
  std::size_t max_connections;          ///< in use at once by exchange(); streams have their own
  std::size_t max_body;                 ///< bytes of one answer to exchange()
  /// Asked at the last moment before a request that is no GET is sent; when it says no, the call
  /// fails and nothing was sent. Empty: always yes.
  std::function<bool()> may_write;
};

struct HttpHeader {
  std::string name;
  std::string value;
};

/// Host, Content-Length and Connection are added. Nothing may contain a control character.
struct HttpRequest {
  std::string method;
  std::string target;
  std::vector<HttpHeader> headers;
  std::string body;
  /// It does no harm when the server gets it twice. Such a request is sent once more on a new
  /// connection when a kept one turns out to be dead before the first byte of the answer.
  bool may_repeat = false;
  /// Given the body of a 2xx answer piece by piece, instead of collecting it in the HttpResponse;
  /// the size of the body is then not bounded. Returning false ends the exchange with a failure.
  std::function<bool(std::string_view)> on_body;
};

/// Status line and the headers we read, "" when absent.
struct HttpHead {
  int status = 0;
  std::string content_type;
  std::string retry_after;
  std::string date;
  std::string flow_schema;     ///< UID of what API priority-and-fairness put the request into
  std::string priority_level;  ///< likewise
};

struct HttpResponse {
  HttpHead head;
  std::string body;  ///< complete; empty when on_body was given it
};

/// Why there is no complete answer.
struct HttpError {
  bool sent = false;       ///< the server may have received the request (or a part of it)
  bool timed_out = false;  ///< the deadline passed
  bool refused = false;    ///< nobody listens on the port
  std::optional<TlsRefusal>
      certificate;  ///< why we refused the server's certificate; never with `sent`
  std::string message;
};

using Deadline = std::chrono::steady_clock::time_point;

/// An answer that is read while it arrives, on a connection of its own. Destroying it closes the
/// connection.
class HttpStream {
 public:
  virtual ~HttpStream() = default;
  virtual const HttpHead& head() const = 0;
  /// The next bytes of the body, at most 16 KiB, valid until the next call; empty at the proper end
  /// of the body. After a failure, a cancellation or the end the connection is closed, and every
  /// further call fails.
  virtual boost::asio::awaitable<std::expected<std::string_view, HttpError>> read_some(
      Deadline deadline) = 0;
};

/// HTTP/1.1 over TLS to one server, with a pool of kept connections. Single-threaded. Redirects,
/// proxies, compression and upgrades are not supported. Cancelling a call (terminal) throws
/// operation_aborted and closes its connection. Calls must have ended before the transport is
/// destroyed; streams may live longer. Idle connections have no timer: those that are too old are
/// closed by the next call.
class HttpTransport {
 public:
  /// Throws std::invalid_argument when the TLS settings are not usable.
  explicit HttpTransport(HttpServer server);
  ~HttpTransport();
  HttpTransport(const HttpTransport&) = delete;
  HttpTransport& operator=(const HttpTransport&) = delete;

  /// From now on connections are made with these settings; throws as the constructor does. Idle
  /// connections are closed; requests under way end as they would have, and their connections after
  /// them. With `end_streams` open streams fail at once; else they go on.
  void replace_tls(const TlsSettings& settings, bool end_streams);

  /// Sends the request and reads the whole answer before `deadline`; waiting for a free connection
  /// counts.
  boost::asio::awaitable<std::expected<HttpResponse, HttpError>> exchange(HttpRequest request,
                                                                          Deadline deadline);
  /// The same on a connection outside the pool, up to the end of the answer's header.
  boost::asio::awaitable<std::expected<std::unique_ptr<HttpStream>, HttpError>> open_stream(
      HttpRequest request, Deadline deadline);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace controller
