#pragma once

#include <chrono>
#include <optional>

#include "controller/boot_clock.hpp"
#include "crd/time.hpp"

namespace controller {

/// What the clock on the wall says; it may jump.
inline crd::TimePoint wall_clock() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

/// Notices, against a clock that does not jump, when the clock on the wall is set forward, or the
/// machine was paused by its host. No time limit may end by that.
class WallClock {
 public:
  /// Less in all since the last time is taken for drift.
  static constexpr std::chrono::seconds kStep{1};

  crd::WallTime read() { return read(wall_clock(), BootClock::now()); }
  crd::WallTime read(crd::TimePoint wall, BootClock::time_point boot);

 private:
  /// How far the wall was ahead of the clock that does not jump when it was least since the step.
  std::optional<std::chrono::milliseconds> ahead_;
  crd::TimePoint even_since_{};
};

}  // namespace controller
