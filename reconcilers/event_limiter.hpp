#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "reconcilers/events.hpp"

namespace reconcilers {

/// Bounds the Events of one removal, as client-go does it: 25 at once and one more every 300 s.
/// What was said less than 5 minutes ago is not said again. The end is always told.
class EventLimiter {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class Verdict { Tell, Repetition, TooMany };

  /// Another process has told these already, as far as is known just now.
  void assume_told(const std::vector<EventNote>& events, TimePoint now);
  /// `now` never goes back.
  Verdict judge(const EventNote& event, TimePoint now);

 private:
  static constexpr double kBurst = 25;

  double tokens_ = kBurst;
  TimePoint filled_at_{};
  std::map<std::string, TimePoint> told_;  ///< by reason and topic; of the last 5 minutes
};

}  // namespace reconcilers
