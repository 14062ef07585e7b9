#include "controller/backoff.hpp"

#include <algorithm>
#include <random>

namespace controller {

std::chrono::milliseconds Backoff::delay(int attempt, double random) const {
  auto base = first;
  for (int i = 0; i < attempt && base < limit; ++i) base *= 2;
  base = std::min(base, limit / 2);
  const auto jitter =
      static_cast<std::chrono::milliseconds::rep>(static_cast<double>(base.count()) * random);
  return base + std::chrono::milliseconds{jitter};
}

double random_fraction() {
  static std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>{0.0, 1.0}(generator);
}

}  // namespace controller
