#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <functional>
#include <string>
#include <vector>

#include "controller/backoff.hpp"
#include "controller/kube_client.hpp"

namespace controller {

/// Receives what a watcher learns. Events of one object come in the order of its versions; after a
/// break in the watch the whole collection is given anew.
class WatchHandler {
 public:
  virtual ~WatchHandler() = default;
  /// The complete collection: what is not in it does not exist.
  virtual void replace(const std::vector<boost::json::object>& items) = 0;
  virtual void apply(const boost::json::object& object) = 0;
  virtual void remove(const boost::json::object& object) = 0;
};

struct WatcherOptions {
  CollectionRef collection;
  std::string field_selector{};
  /// The first list may come from the server's watch cache (resourceVersion=0): much cheaper in
  /// large clusters, may be behind. Otherwise it is a quorum read.
  bool from_cache = false;
  Fields fields{};  ///< those that the handler reads; empty: all
  Backoff backoff{};
  /// Called with every failed list; may throw to end the watcher (and with it its task group).
  std::function<void(const KubeError&)> on_list_error{};
  /// Called when a watch has begun (null) and when one failed.
  std::function<void(const KubeError*)> on_watch{};
};

/// List, watch, resume, and list again when the server has forgotten our place; with backoff on
/// every failure; until cancelled. `handler` must outlive the coroutine.
awaitable<void> run_watcher(KubeClient& client, WatcherOptions options, WatchHandler& handler);

}  // namespace controller
