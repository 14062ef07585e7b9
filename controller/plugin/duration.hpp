#pragma once

#include <chrono>
#include <expected>
#include <string>
#include <string_view>

#include "crd/time.hpp"

namespace plugin {

/// "90", "90s", "5m", "1h30m". Fails with a sentence that says what is wrong.
std::expected<std::chrono::seconds, std::string> parse_duration(std::string_view text);

/// How long ago that was, as kubectl writes it: "40s", "4m10s", "31m", "5h20m", "2d3h", "90d". "0s"
/// when it is yet to come.
std::string age(crd::TimePoint then, crd::TimePoint now);

}  // namespace plugin
