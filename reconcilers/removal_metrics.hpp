#pragma once

#include <prometheus/metric_family.h>

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include "reconcilers/removal_progress.hpp"
#include "reconcilers/removal_series.hpp"

namespace prometheus {
class Counter;
class Histogram;
class Registry;
template <typename T>
class Family;
}  // namespace prometheus

namespace reconcilers {

/// Why a request was not sent.
inline constexpr std::string_view kWithheldByGate = "gate";
inline constexpr std::string_view kWithheldUnreadable = "unreadable";
inline constexpr std::string_view kWithheldNotLeader = "not_leader";

/// How a pod was told to leave.
inline constexpr std::string_view kEvicted = "evicted";
inline constexpr std::string_view kDeleted = "deleted";
inline constexpr std::string_view kForced = "forced";

/// Counts what happens to removals. Every series of a closed set is there from the start, with 0; a
/// value that nobody foresaw gets a series when it comes. No label names an object.
class RemovalMetrics {
 public:
  /// `registry` has to live longer, and may have only one of this.
  explicit RemovalMetrics(prometheus::Registry& registry);

  void count(const RemovalNews& news);
  void count(const std::optional<RemovalNews::End>& end);
  /// The answer to one eviction, as eviction_result() calls it.
  void eviction_answered(std::string_view result);
  /// The API server accepted a request that removes a pod.
  void pod_removed(std::string_view method);
  void withheld(std::string_view why, std::size_t requests);
  /// An Event was not written.
  void event_dropped();

 private:
  using Counters = prometheus::Family<prometheus::Counter>;
  using Histograms = prometheus::Family<prometheus::Histogram>;

  Counters& finished_;
  Counters& evictions_;
  Counters& pods_removed_;
  Counters& nodes_deleted_;
  Counters& decisions_;
  Counters& withheld_;
  prometheus::Counter& events_dropped_;
  Histograms& steps_;
  Histograms& durations_;
};

/// The gauges of the removals that exist. They are made anew for each scrape, so that no series
/// outlives its removal.
std::vector<prometheus::MetricFamily> gauges_of(const RemovalSeries& series);

}  // namespace reconcilers
