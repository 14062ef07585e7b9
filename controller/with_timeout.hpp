#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <optional>
#include <utility>

namespace controller {

/// Runs `op` until it ends or `deadline` passes; then `op` is cancelled (terminal) and waited for,
/// so nothing is left behind. False when the deadline won. Exceptions of `op` pass through. When
/// the *caller* is cancelled, throws operation_aborted, so that a time-out and a cancellation
/// cannot be mistaken for one another. Not `op || timer`: that waits for the timer when `op` fails
/// (measured on Boost 1.81).
boost::asio::awaitable<bool> finish_before(std::chrono::steady_clock::time_point deadline,
                                           boost::asio::awaitable<void> op);

namespace detail {

template <typename T>
boost::asio::awaitable<void> store(boost::asio::awaitable<T> op, std::optional<T>& out) {
  out.emplace(co_await std::move(op));
}

}  // namespace detail

/// The same for an operation with a value; nullopt when the deadline won.
template <typename T>
boost::asio::awaitable<std::optional<T>> with_timeout(
    std::chrono::steady_clock::time_point deadline, boost::asio::awaitable<T> op) {
  std::optional<T> value;
  const bool in_time = co_await finish_before(deadline, detail::store(std::move(op), value));
  if (!in_time)
    value.reset();  // what an operation says while it is being cancelled is not its result
  co_return value;
}

}  // namespace controller
