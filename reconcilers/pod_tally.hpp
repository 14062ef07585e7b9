#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "reconcilers/decision.hpp"
#include "reconcilers/events.hpp"

namespace reconcilers {

/// Pods that the API server let be told to leave, and that no Event has named yet: the first round
/// is told at once, those that follow one by one are summed up.
class PodTally {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Actions that the API server accepted; those that are not for pods do not count.
  void add(const std::vector<Action>& done);
  /// The Events that are due. With `all`: also those that would come together with later ones.
  std::vector<EventNote> take(TimePoint now, bool all);

 private:
  struct Heap {
    std::vector<std::string> names;
    crd::PodRef first;
    std::optional<TimePoint> told;
  };
  enum Way { kByEviction, kPastBudgets, kOnDeadNode, kCleared, kWays };
  void add(Way way, const crd::PodRef& pod);
  static EventNote note_of(Way way, const Heap& heap);

  std::array<Heap, kWays> heaps_;
};

}  // namespace reconcilers
