#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "controller/kube_client.hpp"
#include "controller/reconcile_loop.hpp"
#include "controller/store.hpp"
#include "controller/task_group.hpp"
#include "controller/work_queue.hpp"
#include "crd/node_removal.hpp"
#include "reconcilers/act.hpp"
#include "reconcilers/event_recorder.hpp"
#include "reconcilers/observe.hpp"
#include "reconcilers/policy.hpp"
#include "reconcilers/removal_metrics.hpp"
#include "reconcilers/session.hpp"

namespace reconcilers {

/// The keys to reconcile when this removal has changed: its own, and that of the removal with a
/// nodeSelector that made it.
std::vector<std::string> keys_of(const crd::NodeRemoval& removal);

/// observe -> decide -> write status -> act, for the NodeRemoval of this name. Everything passed by
/// reference outlives it.
class NodeRemovalReconciler final : public controller::Reconciler {
 public:
  struct Dependencies {
    boost::asio::any_io_executor executor;
    controller::KubeClient& client;
    controller::Store<crd::NodeRemoval>& removals;
    controller::WorkQueue& queue;
    controller::TaskGroup& tasks;
    RemovalMetrics& metrics;
    Policy policy;
    std::function<crd::WallTime()> clock;
  };

  explicit NodeRemovalReconciler(Dependencies dependencies);

  awaitable<controller::ReconcileResult> reconcile(std::string name) override;

 private:
  enum class Write { Done, Postponed, Conflict, Failed };

  std::optional<crd::NodeRemoval> newest(const std::string& name);
  void forget_writes_before_last_list();
  std::vector<OtherRemoval> others_than(const crd::NodeRemoval& removal) const;
  std::vector<Child> children_of(const crd::NodeRemoval& removal) const;
  /// `seen` gets what the decision rests on.
  awaitable<Decision> observe_and_decide(const crd::NodeRemoval& removal, Session& session,
                                         Observation& seen);
  awaitable<void> learn(FactName fact, Observation& seen, Session& session);
  awaitable<void> learn_node(Observation& seen, Session& session);
  awaitable<void> learn_fresh_node(Observation& seen, Session& session);
  awaitable<void> learn_pods(Observation& seen, Session& session);
  awaitable<void> learn_removed_nodes(Observation& seen, Session& session);
  awaitable<Write> write_status(const crd::NodeRemoval& removal,
                                const crd::NodeRemovalStatus& status, Session& session);
  /// Tells these, and of the pods that were told to leave. `removal`: as it is now.
  void record(const crd::NodeRemoval& removal, const std::vector<EventNote>& events,
              Session& session);
  void end_session(const std::string& name);

  Dependencies deps_;
  CensusCache census_;
  EventRecorder events_;
  std::map<std::string, std::unique_ptr<Session>> sessions_;  ///< by name of the NodeRemoval
  std::uint64_t lists_ = 0;                                   ///< of removals, so far
};

}  // namespace reconcilers
