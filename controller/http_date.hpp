#pragma once

#include <optional>
#include <string>

#include "crd/time.hpp"

namespace controller {

/// The Date header of an answer, "Sun, 06 Nov 1994 08:49:37 GMT" (IMF-fixdate of RFC 9110, the only
/// form that may be sent); nullopt for anything else.
std::optional<crd::TimePoint> parse_http_date(const std::string& text);

}  // namespace controller
