#include "reconcilers/event_limiter.hpp"

#include <algorithm>
#include <utility>

namespace reconcilers {
namespace {

using Seconds = std::chrono::duration<double>;
constexpr Seconds kOneMoreEvery{300};
constexpr std::chrono::minutes kQuiet{5};

std::string key_of(const EventNote& event) {
  return event.reason + " " + (event.topic.empty() ? event.note : event.topic);
}

}  // namespace

void EventLimiter::assume_told(const std::vector<EventNote>& events, TimePoint now) {
  for (const auto& event : events) told_[key_of(event)] = now;
}

EventLimiter::Verdict EventLimiter::judge(const EventNote& event, TimePoint now) {
  std::erase_if(told_, [&](const auto& entry) { return now - entry.second >= kQuiet; });
  auto key = key_of(event);
  if (told_.contains(key)) return Verdict::Repetition;
  tokens_ = std::min(kBurst, tokens_ + Seconds(now - filled_at_) / kOneMoreEvery);
  filled_at_ = now;
  if (tokens_ < 1 && !event.is_end) return Verdict::TooMany;
  tokens_ = std::max(0.0, tokens_ - 1);
  told_[std::move(key)] = now;
  return Verdict::Tell;
}

}  // namespace reconcilers
