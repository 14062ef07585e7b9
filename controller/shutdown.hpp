#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>

#include "controller/task_group.hpp"
#include "controller/work_queue.hpp"

namespace controller {

/// The process ends in this order: no new keys; the workers end what they are at, or are cancelled
/// after a while; then all else (watches, servers); then the log is flushed.

/// At the first SIGTERM or SIGINT stops the queue, and after `limit` cancels the workers that are
/// still busy. Without workers (a replica that does not lead) it cancels `others` at once. A second
/// signal ends the process at once, with 128 + its number.
boost::asio::awaitable<void> stop_on_signal(WorkQueue& queue, TaskGroup& workers, TaskGroup& others,
                                            std::chrono::seconds limit);

/// Cancels `others` when the last worker has ended. Rethrows what a worker failed with.
boost::asio::awaitable<void> end_with(TaskGroup& workers, TaskGroup& others);

/// Waits for both groups. When one of `others` fails, the workers are cancelled too. Rethrows the
/// first failure.
boost::asio::awaitable<void> join_all(TaskGroup& workers, TaskGroup& others);

}  // namespace controller
