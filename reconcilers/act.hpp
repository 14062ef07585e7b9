#pragma once

#include <vector>

#include "controller/kube_client.hpp"
#include "crd/time.hpp"
#include "reconcilers/decision.hpp"
#include "reconcilers/observe.hpp"
#include "reconcilers/policy.hpp"
#include "reconcilers/removal_metrics.hpp"
#include "reconcilers/session.hpp"

namespace reconcilers {

/// What the actions of one round need beside themselves.
struct ActContext {
  controller::KubeClient& client;
  CensusCache& census;
  Session& session;
  const Policy& policy;
  crd::NodeRemoval removal;  ///< as it is after the status write of this round
  std::vector<OtherRemoval> others;
  crd::WallTime time;
  std::vector<Action>* done = nullptr;  ///< gets those that the API server accepted; may be null
  RemovalMetrics* metrics = nullptr;    ///< may be null
};

enum class ActOutcome {
  Done,     ///< everything was sent; refusals of single pods are noted in the session
  Changed,  ///< the world is not as it was observed (conflict, gone, refused by the gate): look
            ///< again
  Failed,   ///< the API server did not do it; session.action_error says why
};

/// The object is not as it was observed: changed, replaced or gone.
bool is_conflict(const controller::KubeError& error);

/// Carries the actions out in order and stops at the first that is not done. Evictions and
/// deletions of pods run in parallel. No policy: what may be done was decided by decide() and, for
/// what cannot be undone, by the gate.
controller::awaitable<ActOutcome> act(ActContext context, std::vector<Action> actions);

}  // namespace reconcilers
