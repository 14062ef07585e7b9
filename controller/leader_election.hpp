#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>

#include "controller/kube_client.hpp"
#include "controller/lease.hpp"

namespace controller {

struct LeaderElectionOptions {
  std::string ns;
  std::string name = "noderemoval-controller";
  std::string identity;
  LeaseDurations durations;
};

/// Host name and a random UUID: two processes on one host are two candidates.
std::string make_identity();

/// Takes part in the election of the one replica that acts. `client` should have connections of its
/// own, so that load cannot starve the renewals, and must outlive this.
class LeaderElection {
 public:
  /// `on_held_until` is called with the time at which we have to have stopped, at every renewal.
  LeaderElection(KubeClient& client, LeaderElectionOptions options,
                 std::function<void(BootClock::time_point)> on_held_until);

  /// Ends when we hold the lease and may act. Tries every 2 s to 4.4 s, as client-go does.
  boost::asio::awaitable<void> acquire();
  /// Renews until cancelled. Ends when the lease is lost: then others may act at any time.
  boost::asio::awaitable<void> hold();
  /// Gives the lease up, so that another replica takes it at its next attempt. To be called when
  /// nothing acts any more; does nothing when it is not held.
  boost::asio::awaitable<void> release();

  /// To be asked right before a request is sent that changes something.
  bool may_act() const { return rules_.may_act(BootClock::now()); }
  bool holds() const { return rules_.holds(BootClock::now()); }

 private:
  boost::asio::awaitable<void> attempt();
  boost::asio::awaitable<bool> read();
  boost::asio::awaitable<void> write(bool create);
  ObjectRef ref() const;
  boost::asio::awaitable<Result<boost::json::object>> make(Lease record);
  /// Fails with Conflict when the Lease has changed since it was read.
  boost::asio::awaitable<Result<boost::json::object>> update(Lease record);
  boost::asio::awaitable<void> sleep(std::chrono::milliseconds duration);
  void report(const KubeError& error);

  KubeClient& client_;
  LeaderElectionOptions options_;
  LeaseRules rules_;
  std::function<void(BootClock::time_point)> on_held_until_;
  std::string told_;  ///< what the log said last, so that it is not said every two seconds
};

}  // namespace controller
