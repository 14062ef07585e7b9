#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "controller/kube_client.hpp"
#include "controller/task_group.hpp"
#include "controller/token_bucket.hpp"
#include "crd/node_removal.hpp"
#include "crd/time.hpp"
#include "reconcilers/event_limiter.hpp"
#include "reconcilers/events.hpp"
#include "reconcilers/removal_metrics.hpp"

namespace reconcilers {

/// Writes Events into the namespace "default", where those of cluster-scoped objects belong, one
/// after the other and behind the removals: nobody waits for one, and none is sent twice. What the
/// API server does not take, or what is too much, is counted and lost. With events.k8s.io/v1, or
/// with the core API on a server that takes only that.
class EventRecorder {
 public:
  struct Dependencies {
    boost::asio::any_io_executor executor;
    controller::KubeClient& client;
    controller::TaskGroup& tasks;
    RemovalMetrics& metrics;
    /// Who reports, such as namespace/name of the pod of the operator.
    std::string instance;
  };

  explicit EventRecorder(Dependencies dependencies);

  /// Those that `limiter`, which is that of the removal, lets pass. `time` stands in them.
  void record(const crd::NodeRemoval& removal, const std::vector<EventNote>& events,
              EventLimiter& limiter, crd::TimePoint time);

 private:
  using Stamp = std::chrono::sys_time<std::chrono::microseconds>;
  /// What is written in one Event.
  struct Entry {
    boost::json::object regarding;
    boost::json::object related;
    EventNote event;
    Stamp time;
  };

  Stamp stamp_of(crd::TimePoint time);
  void enqueue(Entry entry);
  controller::awaitable<void> write_queued();
  controller::awaitable<void> write(Entry entry);
  boost::json::object event_of(const Entry& entry) const;
  boost::json::object core_event_of(const Entry& entry) const;
  void drop(const std::string& reason, const std::string& why);

  Dependencies deps_;
  controller::TokenBucket pace_;
  std::deque<Entry> queue_;
  Stamp last_stamp_{};
  bool writes_ = false;
  bool core_only_ = false;  ///< the server took an Event of the core API after refusing the other
  std::optional<std::chrono::steady_clock::time_point> logged_at_;
  std::size_t not_logged_ = 0;
};

}  // namespace reconcilers
