#pragma once

#include <chrono>
#include <functional>

namespace controller {

/// A delay that doubles with every failure, with full jitter on top: attempt n waits between d and
/// 2d, where d = min(first * 2^n, limit / 2). The defaults are those of client-go's reflector (800
/// ms to 30 s; C1).
struct Backoff {
  std::chrono::milliseconds first{800};
  std::chrono::milliseconds limit{30'000};

  /// `random` is in [0, 1). Never longer than `limit`.
  std::chrono::milliseconds delay(int attempt, double random) const;
};

/// A random number in [0, 1) for delay(); not for secrets.
double random_fraction();

}  // namespace controller
