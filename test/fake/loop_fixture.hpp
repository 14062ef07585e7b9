#pragma once

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <utility>

namespace fake {

/// An event loop and the tasks a test starts on it. At the end nothing may be left to do.
class LoopFixture : public testing::Test {
 protected:
  /// Runs the loop until `op` has ended; at most 10 s, which no test should need.
  template <typename T>
  T run(boost::asio::awaitable<T> op) {
    std::optional<T> value;
    std::exception_ptr error;
    boost::asio::co_spawn(io_, std::move(op), [&](const std::exception_ptr& e, T v) {
      error = e;
      value = std::move(v);
    });
    run_until([&] { return value.has_value(); });
    if (error) std::rethrow_exception(error);
    return std::move(*value);
  }

  /// Lets everything happen that can happen until `condition` holds.
  template <typename Condition>
  void run_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    io_.restart();
    while (!condition() && std::chrono::steady_clock::now() < deadline) io_.run_one_until(deadline);
    if (!condition()) throw std::runtime_error("what was waited for did not happen");
  }

  void TearDown() override {
    io_.restart();
    io_.run_for(std::chrono::seconds(5));
    EXPECT_TRUE(io_.stopped()) << "something is still waiting";
  }

  boost::asio::io_context io_{1};
};

}  // namespace fake
