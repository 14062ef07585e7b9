#include "crd/hash.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

namespace crd {

std::string hash_of(std::string_view text) {
  std::uint64_t hash = 14695981039346656037U;
  for (const auto c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
  std::array<char, 17> digits{};
  std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(hash));
  return digits.data();
}

}  // namespace crd
