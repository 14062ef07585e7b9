#include "controller/transport_words.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/beast/http/error.hpp>
#include <initializer_list>

#include "controller/tcp_connector.hpp"

namespace controller {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

bool is_tls_error(const error_code& code, std::initializer_list<int> reasons) {
  if (code.category() != asio::error::get_ssl_category()) return false;
  const int reason = ERR_GET_REASON(static_cast<unsigned long>(code.value()));
  return std::ranges::find(reasons, reason) != reasons.end();
}

}  // namespace

std::string why_no_answer(const error_code& code, std::size_t max_header, std::size_t max_body) {
  if (code == http::error::body_limit) {
    return fmt::format("the answer is longer than {} bytes", max_body);
  }
  if (code == http::error::header_limit || code == http::error::buffer_overflow) {
    return fmt::format("the header of the answer is longer than {} bytes", max_header);
  }
  if (code == http::error::end_of_stream || code == http::error::partial_message ||
      code == asio::error::eof || code == asio::ssl::error::stream_truncated) {
    return "the server closed the connection before the end of its answer";
  }
  if (code.category() == http::make_error_code(http::error::bad_version).category()) {
    return fmt::format("the answer is not HTTP/1.1 ({})", code.message());
  }
  if (is_tls_error(code, {SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED})) {
    return "the server demands a client certificate";
  }
  return in_words(code);
}

std::string why_no_handshake(const error_code& code) {
  if (code == asio::ssl::error::stream_truncated || code == asio::error::eof) {
    return "the server closed the connection during the TLS handshake";
  }
  if (is_tls_error(code, {SSL_R_TLSV1_ALERT_PROTOCOL_VERSION, SSL_R_UNSUPPORTED_PROTOCOL})) {
    return "TLS handshake failed: the server has no TLS 1.2 or newer";
  }
  return "TLS handshake failed: " + in_words(code);
}

}  // namespace controller
