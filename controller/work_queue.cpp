#include "controller/work_queue.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <utility>

#include "controller/backoff.hpp"

namespace controller {

void WorkQueueCore::add(const std::string& key) {
  delayed_.erase(key);
  if (!dirty_.insert(key).second) return;
  if (metrics_ != nullptr) metrics_->added(key);
  if (!processing_.contains(key)) queue_.push_back(key);
}

void WorkQueueCore::add_at(const std::string& key, Clock::time_point when) {
  const auto [entry, inserted] = delayed_.emplace(key, when);
  if (!inserted) entry->second = std::min(entry->second, when);
}

std::optional<std::string> WorkQueueCore::take(Clock::time_point now) {
  std::set<std::string> due;
  for (const auto& [key, when] : delayed_) {
    if (when <= now) due.insert(key);
  }
  for (const auto& key : due) add(key);
  if (queue_.empty()) return std::nullopt;
  auto key = std::move(queue_.front());
  queue_.pop_front();
  dirty_.erase(key);
  processing_.insert(key);
  if (metrics_ != nullptr) metrics_->taken(key);
  return key;
}

void WorkQueueCore::done(const std::string& key) {
  processing_.erase(key);
  if (metrics_ != nullptr) metrics_->done(key);
  if (dirty_.contains(key)) queue_.push_back(key);
}

std::optional<WorkQueueCore::Clock::time_point> WorkQueueCore::next_due() const {
  if (!queue_.empty()) return Clock::time_point::min();
  const auto earliest =
      std::ranges::min_element(delayed_, {}, [](const auto& entry) { return entry.second; });
  if (earliest == delayed_.end()) return std::nullopt;
  return earliest->second;
}

int WorkQueueCore::failures(const std::string& key) const {
  const auto found = failures_.find(key);
  return found == failures_.end() ? 0 : found->second;
}

WorkQueue::WorkQueue(const boost::asio::any_io_executor& executor, QueueMetrics* metrics)
    : core_(metrics), metrics_(metrics), wake_(executor, WorkQueueCore::Clock::time_point::max()) {}

void WorkQueue::wake() {
  // Waking all workers is simple and cheap: there are few, and those without work wait again.
  wake_.cancel();
}

void WorkQueue::add(const std::string& key) {
  core_.add(key);
  wake();
}

void WorkQueue::add_after(const std::string& key, std::chrono::milliseconds delay) {
  if (metrics_ != nullptr) metrics_->delayed();
  core_.add_at(key, WorkQueueCore::Clock::now() + delay);
  wake();
}

void WorkQueue::add_rate_limited(const std::string& key) {
  constexpr Backoff kBackoff{.first = std::chrono::milliseconds{5},
                             .limit = std::chrono::seconds{60}};
  const auto delay = kBackoff.delay(core_.failures(key), random_fraction());
  core_.count_failure(key);
  add_after(key, delay);
}

void WorkQueue::done(const std::string& key) {
  core_.done(key);
  wake();
}

void WorkQueue::stop() {
  stopped_ = true;
  wake();
}

boost::asio::awaitable<std::optional<std::string>> WorkQueue::pop() {
  for (;;) {
    if (stopped_) co_return std::nullopt;
    if (auto key = core_.take(WorkQueueCore::Clock::now())) co_return key;
    const auto due = core_.next_due().value_or(WorkQueueCore::Clock::time_point::max());
    // Setting the expiry wakes all waiters, so it is set only when it changes: otherwise they wake
    // each other for ever.
    if (wake_.expiry() != due) wake_.expires_at(due);
    boost::system::error_code woken;
    co_await wake_.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, woken));
  }
}

}  // namespace controller
