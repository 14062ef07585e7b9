#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "crd/node_removal.hpp"
#include "crd/time.hpp"
#include "reconcilers/policy.hpp"

namespace reconcilers {

/// Stands for the reason of a removal whose status says nothing yet.
inline constexpr std::string_view kPending = "Pending";
/// Stands for the reason of blockers that status only counts.
inline constexpr std::string_view kNotListed = "NotListed";

/// What the metrics tell of one removal while it is active.
struct ActiveRemoval {
  std::string name;
  std::string node;
  std::string step;  ///< reason of Succeeded
  std::string_view path;
  crd::TimePoint step_began;
  std::optional<crd::PodCounts> pods;
  std::map<std::string, crd::TimePoint> blocked_since;  ///< by reason, the oldest of each
  std::set<std::string> decisions;                      ///< that a human owes it
};

/// What the metrics tell of the NodeRemovals that exist.
struct RemovalSeries {
  /// As many as are told of one by one.
  static constexpr std::size_t kMaxActive = 100;

  struct Summary {
    crd::ConditionStatus succeeded;
    std::string reason;
    auto operator<=>(const Summary&) const = default;
  };
  std::map<Summary, std::int64_t> removals;
  std::map<std::string, std::int64_t> blocked_pods;    ///< by reason
  std::map<std::string, std::int64_t> decisions_owed;  ///< by reason
  std::chrono::milliseconds oldest_blocked_age{0};
  bool brake_engaged = false;
  std::int64_t nodes_under_way = 0;
  std::int64_t max_nodes = 0;
  std::vector<ActiveRemoval> active;  ///< those that have begun first, then by age
  std::int64_t not_exported = 0;      ///< more active ones
};

/// Every name of a closed set is there, with 0. A removal with a nodeSelector counts in `removals`
/// and `decisions_owed`; else its children count. One that is being cancelled waits for nobody.
/// Pure.
RemovalSeries removal_series(const std::map<std::string, crd::NodeRemoval>& removals,
                             const Policy& policy, crd::TimePoint now);

/// The same of a process that leaves the removals to another one.
RemovalSeries no_removal_series();

}  // namespace reconcilers
