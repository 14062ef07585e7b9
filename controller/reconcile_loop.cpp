#include "controller/reconcile_loop.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <exception>

#include "controller/log.hpp"

namespace controller {
namespace {

boost::asio::awaitable<ReconcileResult> reconcile_once(Reconciler& reconciler,
                                                       const std::string& key) {
  try {
    co_return co_await reconciler.reconcile(key);
  } catch (const boost::system::system_error& error) {
    if (error.code() == boost::asio::error::operation_aborted) throw;
    log(LogLevel::Error, "reconcile ended with an exception",
        {{"key", key}, {"error", error.what()}});
  } catch (const std::exception& error) {
    log(LogLevel::Error, "reconcile ended with an exception",
        {{"key", key}, {"error", error.what()}});
  }
  co_return ReconcileResult::failed();
}

ReconcileOutcome outcome_of(ReconcileResult::Kind kind) {
  switch (kind) {
    case ReconcileResult::Kind::AwaitChange:
      return ReconcileOutcome::Success;
    case ReconcileResult::Kind::RequeueAfter:
      return ReconcileOutcome::RequeueAfter;
    case ReconcileResult::Kind::Failed:
      break;
  }
  return ReconcileOutcome::Error;
}

boost::asio::awaitable<ReconcileResult> measured(ReconcileMetrics* metrics, Reconciler& reconciler,
                                                 const std::string& key) {
  const ReconcileMetrics::Busy busy{metrics};
  const auto started = std::chrono::steady_clock::now();
  const auto result = co_await reconcile_once(reconciler, key);
  if (metrics != nullptr) {
    metrics->ended(outcome_of(result.kind), std::chrono::steady_clock::now() - started);
  }
  co_return result;
}

}  // namespace

boost::asio::awaitable<void> run_worker(WorkQueue& queue, Reconciler& reconciler,
                                        ReconcileMetrics* metrics) {
  for (;;) {
    const auto popped = co_await queue.pop();
    if (!popped) co_return;
    const auto& key = *popped;
    const auto result = co_await measured(metrics, reconciler, key);
    switch (result.kind) {
      case ReconcileResult::Kind::AwaitChange:
        queue.forget(key);
        break;
      case ReconcileResult::Kind::RequeueAfter:
        queue.forget(key);
        queue.add_after(key, result.delay);
        break;
      case ReconcileResult::Kind::Failed:
        queue.add_rate_limited(key);
        break;
    }
    queue.done(key);
  }
}

}  // namespace controller
