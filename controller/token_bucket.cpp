#include "controller/token_bucket.hpp"

#include <algorithm>

namespace controller {

using Seconds = std::chrono::duration<double>;

TokenBucket::TokenBucket(double per_second, double burst)
    : per_second_(per_second), burst_(burst), tokens_(burst) {}

std::chrono::nanoseconds TokenBucket::take(TimePoint now) {
  tokens_ = std::min(burst_, tokens_ + Seconds(now - filled_at_).count() * per_second_);
  filled_at_ = now;
  tokens_ -= 1;
  if (tokens_ >= 0) return std::chrono::nanoseconds::zero();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Seconds(-tokens_ / per_second_));
}

}  // namespace controller
