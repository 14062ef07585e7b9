#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "test/fake/test_certificates.hpp"

namespace fake {

/// A request as the server got it. Names of headers are in lower case.
struct Request {
  std::string method;
  std::string target;
  std::map<std::string, std::string> headers;
  std::string body;
  int connection = 0;  ///< counted from 1
  std::string client;  ///< common name of the client's certificate, empty without one
};

/// What the server does with one request.
struct Reply {
  enum class Then {
    KeepOpen,  ///< wait for the next request
    Close,     ///< end TLS and TCP in order
    Cut,       ///< end TCP without a word of TLS, as a dying server or a proxy does
    Hang,      ///< say nothing more, but stay connected
  };
  std::vector<std::string>
      pieces;  ///< bytes as they go on the wire, each in a TLS record of its own
  Then then = Then::KeepOpen;
};

/// A complete answer. `headers`: whole lines, each with its "\r\n".
Reply answer(int status, std::string_view body, std::string_view content_type = "application/json",
             std::string_view headers = "");

/// A loopback HTTPS server whose answers a test scripts. It runs on the io_context of the test.
class HttpsServer {
 public:
  using Handler = std::function<Reply(const Request&)>;

  /// Listens on a free port of 127.0.0.1. Until on_request() is called, every request is answered
  /// with 500.
  HttpsServer(boost::asio::io_context& io, const Identity& identity);
  ~HttpsServer();
  HttpsServer(const HttpsServer&) = delete;
  HttpsServer& operator=(const HttpsServer&) = delete;

  void on_request(Handler handler);
  /// Sends `bytes` to whoever connects, without TLS, and closes.
  void speak_plain(std::string bytes);
  /// Accepts connections but never starts TLS.
  void stay_silent();
  /// From now on only clients with a certificate of this authority are served.
  void demand_certificate(const std::string& ca_pem);
  /// From now on the server speaks TLS 1.1 at most.
  void speak_old_tls();
  /// From now on it shows no certificate.
  void hide_certificate();
  /// From now on it shows this certificate, to those who connect anew.
  void show_certificate(const Identity& identity);
  /// Closes the listener and all connections; pending work ends.
  void stop();

  std::uint16_t port() const;
  const std::vector<Request>& requests() const;
  int connections() const;  ///< with a complete TLS handshake
  int resumed() const;      ///< of these, how many resumed a session
  int open() const;         ///< connected now

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace fake
