#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "controller/backoff.hpp"
#include "controller/kube_client.hpp"
#include "controller/plugin/interrupts.hpp"
#include "controller/plugin/view.hpp"

namespace plugin {

enum class FollowEnd {
  Reached,      ///< what was waited for
  Gone,         ///< deleted, or another object has its name
  TimedOut,     ///< after `timeout`
  Interrupted,  ///< see Interrupts::caught()
  Failed,       ///< may not be read any more; see `error`
};

struct Followed {
  FollowEnd end = FollowEnd::Reached;
  boost::json::object object;  ///< as it was seen last
  std::string error;
};

struct FollowOptions {
  std::function<bool(const crd::NodeRemoval&)> until;
  std::optional<std::chrono::seconds> timeout;
  /// While the API server is away.
  controller::Backoff backoff{.first = std::chrono::milliseconds{500},
                              .limit = std::chrono::seconds{5}};
};

/// Shows the NodeRemoval, which was read or created just now, until it is as wanted. When the API
/// server is away this says so in the view and waits for it.
boost::asio::awaitable<Followed> follow(controller::KubeClient& client, boost::json::object object,
                                        FollowOptions options, View& view, Interrupts& interrupts);

}  // namespace plugin
