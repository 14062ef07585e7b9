#pragma once

#include <chrono>

#include "crd/time.hpp"

namespace controller {

/// What the clock on the wall says; it may jump.
inline crd::TimePoint wall_clock() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

}  // namespace controller
