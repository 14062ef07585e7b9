#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "crd/node_removal.hpp"
#include "reconcilers/event_limiter.hpp"
#include "reconcilers/node_view.hpp"
#include "reconcilers/observation.hpp"
#include "reconcilers/pod_tally.hpp"
#include "reconcilers/removal_progress.hpp"

namespace reconcilers {

/// What the process remembers of one removal between rounds. Nothing in here is needed after a
/// restart: it spares requests and paces retries.
struct Session {
  explicit Session(std::string uid) : removal_uid(std::move(uid)) {}

  std::string removal_uid;
  std::optional<RemovalProgress> progress;  ///< how far its metrics are
  /// The answer to our last write or read, when newer than the watch. Holds until the removals are
  /// listed again: an API server that was restored from a backup may have lost it.
  std::optional<crd::NodeRemoval> latest;
  std::optional<crd::Node> latest_node;  ///< likewise, until the node is listed again
  std::string gone_node_uid;             ///< likewise: the quorum said that this node is no more
  std::uint64_t node_lists = 0;          ///< of the node, so far
  std::shared_ptr<NodeView> view;
  std::map<std::string, Refusal> refusals;         ///< by pod UID
  std::map<std::string, int> attempts;             ///< refusals so far, by pod UID
  std::map<std::string, crd::TimePoint> accepted;  ///< by pod UID
  std::map<std::string, crd::TimePoint> cleared;   ///< by pod UID
  std::map<std::string, WorkloadProgress>
      migrated;                        ///< workloads that were seen ready elsewhere, by UID
  std::map<std::string, bool> claims;  ///< those that only one node may use, by namespace/name
  /// As read when the removal began, and with what it recorded itself.
  std::map<std::string, RemovedNode> removed_nodes;
  bool removed_nodes_known = false;
  struct ReadBudget {
    std::optional<crd::DisruptionBudget> budget;  ///< nullopt: it could not be read
    std::chrono::steady_clock::time_point read_at;
  };
  std::map<std::string, ReadBudget> budgets;  ///< by namespace/name
  bool accepting = false;  ///< it was decided to begin; status may not say so yet
  std::string gate_refusal;
  std::string action_error;
  std::chrono::steady_clock::time_point last_status_write;
  EventLimiter event_limiter;
  PodTally pods_told;
};

/// Of a removal that is taken up now. What its status says already, such as pods that are blocked,
/// the process before us has told.
std::unique_ptr<Session> begin_session(const crd::NodeRemoval& removal);

/// The removal as our own last write left it, if that is newer than what we have.
const crd::NodeRemoval& after_writes(const crd::NodeRemoval& removal, const Session& session);

/// The first list of the node may come from a cache and be older than what was read or written
/// meanwhile; every further one is of the quorum.
void forget_node_before_last_list(Session& session);

/// Whatever was remembered of pods that are gone.
void forget_gone_pods(Session& session, const std::vector<crd::Pod>& pods);

}  // namespace reconcilers
