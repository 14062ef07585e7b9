#pragma once

#include <boost/system/error_code.hpp>
#include <cstddef>
#include <string>

namespace controller {

/// Why there is no complete answer to a request; the limits are those of header and body, in bytes.
std::string why_no_answer(const boost::system::error_code& code, std::size_t max_header,
                          std::size_t max_body);

/// Why the TLS handshake failed, when it was not the certificate of the server.
std::string why_no_handshake(const boost::system::error_code& code);

}  // namespace controller
