#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <string>

#include "controller/metrics.hpp"
#include "controller/work_queue.hpp"

namespace controller {

/// What is to happen with a key after its reconcile.
struct ReconcileResult {
  enum class Kind {
    AwaitChange,   ///< nothing until an event comes
    RequeueAfter,  ///< again after `delay`
    Failed,        ///< again with a growing delay
  } kind = Kind::AwaitChange;
  std::chrono::milliseconds delay{0};

  static ReconcileResult await_change() { return {}; }
  static ReconcileResult requeue_after(std::chrono::milliseconds delay) {
    return {Kind::RequeueAfter, delay};
  }
  static ReconcileResult failed() { return {Kind::Failed, {}}; }
};

/// Brings the world one step closer to what the object of this key asks for. Level-based: it is
/// given no event, may be called at any time, and never waits for the world (only for answers).
class Reconciler {
 public:
  virtual ~Reconciler() = default;
  virtual boost::asio::awaitable<ReconcileResult> reconcile(std::string key) = 0;
};

/// One worker: pop, reconcile, requeue; until the queue is stopped, or until cancelled. An
/// exception of the reconciler is logged and counts as Failed. `metrics` may be null.
boost::asio::awaitable<void> run_worker(WorkQueue& queue, Reconciler& reconciler,
                                        ReconcileMetrics* metrics = nullptr);

}  // namespace controller
