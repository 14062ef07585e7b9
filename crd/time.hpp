#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace crd {

/// Wall-clock time, as the API server writes it. Milliseconds, so that waits can be shorter than a
/// second.
using TimePoint = std::chrono::sys_time<std::chrono::milliseconds>;

/// What the clock on the wall says, and how far back it can be trusted.
struct WallTime {
  /// Of a clock that never jumps.
  WallTime(crd::TimePoint time) : now(time) {}  // NOLINT(google-explicit-constructor)
  WallTime(crd::TimePoint time, crd::TimePoint even) : now(time), even_since(even) {}

  crd::TimePoint now;
  /// The clock was set forward then: what was noted before seems longer ago than it is. A whole
  /// second, rounded up. Long ago when that never happened while this process ran.
  crd::TimePoint even_since{};
};

/// metav1.Time: RFC 3339 in UTC with whole seconds (fractions are cut off), e.g.
/// "2026-01-31T08:15:00Z".
std::string to_rfc3339(TimePoint time);

/// The same with three digits of a fraction: "2026-01-31T08:15:00.123Z".
std::string to_rfc3339_milli(TimePoint time);

/// metav1.MicroTime: the same with six digits of a fraction, which that type insists on.
std::string to_rfc3339_micro(TimePoint time);

/// Accepts RFC 3339 with an optional fraction and "Z" or a numeric offset; nullopt for anything
/// else.
std::optional<TimePoint> parse_rfc3339(std::string_view text);

}  // namespace crd
