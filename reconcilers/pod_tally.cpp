#include "reconcilers/pod_tally.hpp"

#include <string_view>

#include "reconcilers/messages.hpp"

namespace reconcilers {
namespace {

constexpr std::chrono::minutes kSumUp{5};

}  // namespace

void PodTally::add(const std::vector<Action>& done) {
  for (const auto& action : done) {
    if (const auto* evict = std::get_if<Evict>(&action)) {
      add(evict->past_budgets ? kPastBudgets : kByEviction, evict->pod);
    } else if (const auto* deletion = std::get_if<DeletePod>(&action)) {
      add(kOnDeadNode, deletion->pod);
    } else if (const auto* clear = std::get_if<ClearPod>(&action)) {
      add(kCleared, clear->pod);
    }
  }
}

void PodTally::add(Way way, const crd::PodRef& pod) {
  auto& heap = heaps_.at(way);
  if (heap.names.empty()) heap.first = pod;
  heap.names.push_back(pod.ns + "/" + pod.name);
}

std::vector<EventNote> PodTally::take(TimePoint now, bool all) {
  std::vector<EventNote> events;
  for (int way = 0; way < kWays; ++way) {
    auto& heap = heaps_.at(static_cast<std::size_t>(way));
    const bool due = all || !heap.told || now - *heap.told >= kSumUp;
    if (heap.names.empty() || !due) continue;
    events.push_back(note_of(static_cast<Way>(way), heap));
    heap.names.clear();
    heap.told = now;
  }
  return events;
}

EventNote PodTally::note_of(Way way, const Heap& heap) {
  const auto text = [&](std::string_view what) {
    return count_of(heap.names.size(), "pod") + " " + std::string{what} + ": " +
           name_some(heap.names);
  };
  switch (way) {
    case kByEviction:
      return {.reason = "Draining",
              .action = "Evict",
              .note = text("told to leave"),
              .pod = heap.first};
    case kPastBudgets:
      return {.warning = true,
              .reason = "Draining",
              .action = "Delete",
              .note = text("deleted past the budgets"),
              .pod = heap.first};
    case kOnDeadNode:
      return {.reason = "ClearingTerminatingPods",
              .action = "Delete",
              .note = text("of the dead node deleted, to start elsewhere"),
              .pod = heap.first};
    case kCleared:
    case kWays:
      break;
  }
  return {.warning = true,
          .reason = "PodForceDeleted",
          .action = "ForceDelete",
          .note = text("of the dead node removed without asking its kubelet"),
          .pod = heap.first};
}

}  // namespace reconcilers
