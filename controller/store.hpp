#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "controller/watcher.hpp"

namespace controller {

/// A decoded local copy of a collection, by "namespace/name" (or "name"). T has a member `meta`.
/// Old versions of an object never replace newer ones.
template <typename T>
class Store final : public WatchHandler {
 public:
  using Decode = T (*)(const boost::json::object&);
  /// Called for every object that appeared, changed or went away (with its last known state).
  using Changed = std::function<void(const T&)>;

  Store(const boost::asio::any_io_executor& executor, Decode decode, Changed changed)
      : decode_(decode),
        changed_(std::move(changed)),
        synced_timer_(executor, boost::asio::steady_timer::time_point::max()) {}

  bool synced() const { return lists_ > 0; }
  /// How often the whole collection was listed so far.
  std::uint64_t lists() const { return lists_; }
  const std::map<std::string, T>& items() const { return items_; }
  const T* find(const std::string& key) const {
    const auto found = items_.find(key);
    return found == items_.end() ? nullptr : &found->second;
  }

  /// Waits until the first list is in, at most `timeout`; returns whether it is.
  awaitable<bool> wait_synced(std::chrono::milliseconds timeout) {
    if (!synced()) {
      const auto now = std::chrono::steady_clock::now();
      const bool running = synced_timer_.expiry() > now && synced_timer_.expiry() <= now + timeout;
      if (!running) synced_timer_.expires_after(timeout);  // otherwise another waiter has set it
      boost::system::error_code woken;
      co_await synced_timer_.async_wait(
          boost::asio::redirect_error(boost::asio::use_awaitable, woken));
    }
    co_return synced();
  }

  void replace(const std::vector<boost::json::object>& items) override {
    std::map<std::string, T> fresh;
    for (const auto& item : items) {
      T decoded = decode_(item);
      fresh.insert_or_assign(key_of(decoded), std::move(decoded));
    }
    std::swap(items_, fresh);
    ++lists_;
    synced_timer_.cancel();
    for (const auto& [key, object] : items_) changed_(object);
    for (const auto& [key, object] : fresh) {
      if (!items_.contains(key)) changed_(object);
    }
  }

  void apply(const boost::json::object& object) override {
    T decoded = decode_(object);
    const auto key = key_of(decoded);
    const auto found = items_.find(key);
    if (found != items_.end() && is_newer(found->second.meta, decoded.meta)) return;
    changed_(items_.insert_or_assign(key, std::move(decoded)).first->second);
  }

  void remove(const boost::json::object& object) override {
    const T decoded = decode_(object);
    items_.erase(key_of(decoded));
    changed_(decoded);
  }

 private:
  static std::string key_of(const T& object) {
    return object.meta.ns.empty() ? object.meta.name : object.meta.ns + "/" + object.meta.name;
  }

  Decode decode_;
  Changed changed_;
  std::map<std::string, T> items_;
  std::uint64_t lists_ = 0;
  boost::asio::steady_timer synced_timer_;
};

}  // namespace controller
