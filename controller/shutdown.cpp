#include "controller/shutdown.hpp"

#include <unistd.h>

#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <exception>
#include <string>

#include "controller/log.hpp"

namespace controller {
namespace {

namespace asio = boost::asio;

/// Not the default action: the first process of a container has none.
void end_at_once(int signal) { ::_exit(128 + signal); }

}  // namespace

asio::awaitable<void> stop_on_signal(WorkQueue& queue, TaskGroup& workers, TaskGroup& others,
                                     std::chrono::seconds limit) {
  const auto executor = co_await asio::this_coro::executor;
  asio::signal_set signals{executor, SIGINT, SIGTERM};
  const int number = co_await signals.async_wait(asio::use_awaitable);
  log(LogLevel::Info, "stopping", {{"signal", std::to_string(number)}});
  queue.stop();
  // Also when the event loop no longer turns.
  std::signal(SIGINT, end_at_once);
  std::signal(SIGTERM, end_at_once);
  if (workers.empty()) {
    others.cancel();
    co_return;
  }
  asio::steady_timer timer{executor, limit};
  co_await timer.async_wait(asio::use_awaitable);
  log(LogLevel::Warning, "cancels what did not end in time",
      {{"shutdownTimeout", std::to_string(limit.count()) + " s"}});
  workers.cancel();
}

asio::awaitable<void> end_with(TaskGroup& workers, TaskGroup& others) {
  co_await workers.join();
  others.cancel();
}

asio::awaitable<void> join_all(TaskGroup& workers, TaskGroup& others) {
  std::exception_ptr failure;
  try {
    co_await others.join();
  } catch (...) {
    failure = std::current_exception();
  }
  workers.cancel();
  co_await workers.join();
  if (failure) std::rethrow_exception(failure);
}

}  // namespace controller
