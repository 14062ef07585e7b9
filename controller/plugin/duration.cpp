#include "controller/plugin/duration.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

namespace plugin {

using std::chrono::seconds;

std::expected<seconds, std::string> parse_duration(std::string_view text) {
  const auto wrong = [&] {
    return std::unexpected("\"" + std::string{text} +
                           "\" is not a duration such as 90, 90s, 5m or 1h30m");
  };
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  std::int64_t total = 0;
  auto rest = text;
  std::int64_t smallest = std::numeric_limits<std::int64_t>::max();
  while (!rest.empty()) {
    std::int64_t number = 0;
    const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), number);
    if (parsed.ec != std::errc{} || rest.front() == '-' || number > kMost) return wrong();
    rest.remove_prefix(static_cast<std::size_t>(parsed.ptr - rest.data()));
    const char unit = rest.empty() ? 's' : rest.front();
    const std::int64_t factor = unit == 'h' ? 3600 : unit == 'm' ? 60 : unit == 's' ? 1 : 0;
    if (factor == 0 || factor >= smallest) return wrong();  // such as 5m3h, 3m3m
    if (!rest.empty()) rest.remove_prefix(1);
    smallest = factor;
    total += number * factor;
  }
  if (text.empty() || total > kMost) return wrong();
  return seconds{total};
}

std::string age(crd::TimePoint then, crd::TimePoint now) {
  const auto total =
      std::max<std::int64_t>(std::chrono::duration_cast<seconds>(now - then).count(), 0);
  const auto parts = [](std::int64_t big, char big_unit, std::int64_t small, char small_unit) {
    auto text = std::to_string(big) + big_unit;
    return small == 0 ? text : text + std::to_string(small) + small_unit;
  };
  constexpr std::int64_t kMinute = 60;
  constexpr std::int64_t kHour = 60 * kMinute;
  constexpr std::int64_t kDay = 24 * kHour;
  if (total < 2 * kMinute) return std::to_string(total) + "s";
  if (total < 10 * kMinute) return parts(total / kMinute, 'm', total % kMinute, 's');
  if (total < 3 * kHour) return std::to_string(total / kMinute) + "m";
  if (total < 8 * kHour) return parts(total / kHour, 'h', total % kHour / kMinute, 'm');
  if (total < 2 * kDay) return std::to_string(total / kHour) + "h";
  if (total < 8 * kDay) return parts(total / kDay, 'd', total % kDay / kHour, 'h');
  return std::to_string(total / kDay) + "d";
}

}  // namespace plugin
