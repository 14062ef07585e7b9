#include "controller/wall_clock.hpp"

#include <algorithm>

#include "controller/log.hpp"

namespace controller {

crd::WallTime WallClock::read(crd::TimePoint wall, BootClock::time_point boot) {
  using std::chrono::milliseconds;
  const auto ahead = std::chrono::floor<milliseconds>(wall.time_since_epoch()) -
                     std::chrono::floor<milliseconds>(boot.time_since_epoch());
  const auto by = ahead - ahead_.value_or(ahead);
  if (by > kStep) {
    even_since_ = std::chrono::ceil<std::chrono::seconds>(wall);
    log(LogLevel::Warning, "the clock was set forward: time limits that run begin anew",
        {{"seconds", std::to_string(std::chrono::round<std::chrono::seconds>(by).count())}});
  }
  ahead_ = by > kStep ? ahead : std::min(ahead, ahead_.value_or(ahead));
  return {wall, even_since_};
}

}  // namespace controller
