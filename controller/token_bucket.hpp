#pragma once

#include <chrono>

namespace controller {

/// Lets `per_second` through on average, and `burst` at once after a pause. Who comes first is
/// first.
class TokenBucket {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Both at least 1.
  TokenBucket(double per_second, double burst);

  /// Takes one token, which may be one that only comes later: how long to wait for it, 0 for not at
  /// all. `now` never goes back.
  std::chrono::nanoseconds take(TimePoint now);

 private:
  double per_second_;
  double burst_;
  double tokens_;
  TimePoint filled_at_{};
};

}  // namespace controller
