#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "controller/metrics.hpp"

namespace controller {

/// The pure core of the queue, with the rules of client-go's workqueue. A key is in at most one
/// worker's hands at a time; a key added while it is being worked on is handed out once more when
/// that is done; a key added twice before it is handed out is handed out once.
class WorkQueueCore {
 public:
  using Clock = std::chrono::steady_clock;

  /// `metrics` may be null, and has to live longer.
  explicit WorkQueueCore(QueueMetrics* metrics = nullptr) : metrics_(metrics) {}

  void add(const std::string& key);
  /// The earliest of several delays of one key counts.
  void add_at(const std::string& key, Clock::time_point when);
  /// A key that may be worked on now; nullopt when there is none.
  std::optional<std::string> take(Clock::time_point now);
  void done(const std::string& key);
  /// When take() may next succeed without another add; nullopt when nothing is waiting.
  std::optional<Clock::time_point> next_due() const;

  /// How often the key has failed since the last forget().
  int failures(const std::string& key) const;
  void count_failure(const std::string& key) { ++failures_[key]; }
  void forget(const std::string& key) { failures_.erase(key); }

 private:
  QueueMetrics* metrics_;
  std::deque<std::string>
      queue_;  ///< to hand out, in order; each key is in dirty_ and not in processing_
  std::set<std::string> dirty_;       ///< wants to be worked on
  std::set<std::string> processing_;  ///< is being worked on
  std::map<std::string, Clock::time_point> delayed_;
  std::map<std::string, int> failures_;
};

/// Hands keys to workers. Single-threaded.
class WorkQueue {
 public:
  explicit WorkQueue(const boost::asio::any_io_executor& executor, QueueMetrics* metrics = nullptr);

  void add(const std::string& key);
  void add_after(const std::string& key, std::chrono::milliseconds delay);
  /// 5 ms * 2^failures, at most 60 s (client-go: 5 ms to 1000 s; a minute suits people better).
  void add_rate_limited(const std::string& key);
  void forget(const std::string& key) { core_.forget(key); }
  void done(const std::string& key);
  /// Waits for a key. Every key has to be given back with done(). nullopt once stop() was called.
  boost::asio::awaitable<std::optional<std::string>> pop();
  /// Hands out no more keys, for ever: what still waits is found again by the next process.
  void stop();
  bool stopped() const { return stopped_; }

 private:
  void wake();

  WorkQueueCore core_;
  QueueMetrics* metrics_;
  bool stopped_ = false;
  boost::asio::steady_timer
      wake_;  ///< all waiting workers wait for it; set to the next delayed key
};

}  // namespace controller
