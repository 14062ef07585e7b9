#pragma once

#include <string>

#include "controller/http_transport.hpp"

namespace controller {

/// The bytes of a request, with Host and (when there is a body) Content-Length. Throws
/// std::invalid_argument for a control character in what becomes the header: a line break there
/// would start a second request.
std::string to_wire(const std::string& host, const std::string& port, const HttpRequest& request);

}  // namespace controller
