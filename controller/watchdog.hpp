#pragma once

#include "controller/boot_clock.hpp"

namespace controller {

/// Ends the process at a time, whatever its threads do then: also when the loop hangs, and before
/// a process that was stopped does anything else once it is continued. The kernel keeps the time.
/// There can be only one in a process; it uses SIGALRM.
class Watchdog {
 public:
  /// Throws std::system_error when the kernel gives no timer.
  Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();

  /// The process ends at `time` unless this is called again before. Exit code 1.
  void end_at(BootClock::time_point time);
  void disarm();

 private:
  void* timer_ = nullptr;  ///< timer_t
};

}  // namespace controller
