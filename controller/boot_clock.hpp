#pragma once

#include <chrono>
#include <ctime>

namespace controller {

/// CLOCK_BOOTTIME: never jumps, and goes on while the machine is suspended, which CLOCK_MONOTONIC
/// does not. Promises to others that depend on time are kept by it.
struct BootClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<BootClock>;
  static constexpr bool is_steady = true;

  static time_point now() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_BOOTTIME, &time);
    return time_point{std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec}};
  }
};

}  // namespace controller
