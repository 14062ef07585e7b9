#include "controller/http_wire.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <string_view>

namespace controller {
namespace {

void require_printable(std::string_view text) {
  const auto control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (std::ranges::any_of(text, control)) {
    throw std::invalid_argument("a control character in the header of a request");
  }
}

}  // namespace

std::string to_wire(const std::string& host, const std::string& port, const HttpRequest& request) {
  require_printable(request.method);
  require_printable(request.target);
  std::string out = fmt::format("{} {} HTTP/1.1\r\nHost: {}:{}\r\n", request.method, request.target,
                                host.contains(':') ? "[" + host + "]" : host, port);
  for (const auto& header : request.headers) {
    require_printable(header.name);
    require_printable(header.value);
    out += fmt::format("{}: {}\r\n", header.name, header.value);
  }
  if (!request.body.empty()) out += fmt::format("Content-Length: {}\r\n", request.body.size());
  return out + "\r\n" + request.body;
}

}  // namespace controller
