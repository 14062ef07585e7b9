#include "reconcilers/messages.hpp"

#include <algorithm>

namespace reconcilers {
namespace {
constexpr std::size_t kNamesShown = 3;
}

std::string name_some(const std::vector<std::string>& names) {
  std::string result;
  const auto shown = std::min(names.size(), kNamesShown);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) result += ", ";
    result += names[i];
  }
  if (names.size() > shown) result += " and " + std::to_string(names.size() - shown) + " more";
  return result;
}

std::string count_of(std::size_t number, std::string_view singular) {
  return std::to_string(number) + " " + std::string{singular} + (number == 1 ? "" : "s");
}

}  // namespace reconcilers
