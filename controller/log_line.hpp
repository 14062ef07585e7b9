#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "controller/log.hpp"
#include "crd/time.hpp"

namespace controller {

using LogTime = crd::TimePoint;

/// `2026-01-02T03:04:05.678Z INFO  message key="value"` and a line break. Control characters (C0,
/// DEL, C1), quotes and backslashes are escaped, so that nobody can forge a line or steer a
/// terminal by the name of an object; other bytes stay as they are.
std::string text_line(LogTime time, LogLevel level, std::string_view message,
                      std::span<const LogField> fields);

/// `{"time":...,"level":"info","message":...,"fields":{"key":"value"}}` and a line break. Always
/// valid JSON in valid UTF-8: bytes that are no UTF-8 become U+FFFD. `fields` is left out when
/// there are none.
std::string json_line(LogTime time, LogLevel level, std::string_view message,
                      std::span<const LogField> fields);

}  // namespace controller
