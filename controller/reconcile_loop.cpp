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

}  // namespace

boost::asio::awaitable<void> run_worker(WorkQueue& queue, Reconciler& reconciler) {
  for (;;) {
    const auto key = co_await queue.pop();
    const auto result = co_await reconcile_once(reconciler, key);
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
