#include "controller/http_date.hpp"

#include <ctime>

namespace controller {

std::optional<crd::TimePoint> parse_http_date(const std::string& text) {
  std::tm parts{};
  const char* end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
  if (end == nullptr || end != text.c_str() + text.size()) return std::nullopt;
  return crd::TimePoint{std::chrono::seconds{::timegm(&parts)}};
}

}  // namespace controller
