#include "reconcilers/decide.hpp"

#include "crd/fixed_spec.hpp"
#include "reconcilers/node_pods.hpp"
#include "reconcilers/plan.hpp"
#include "reconcilers/round.hpp"
#include "reconcilers/steps.hpp"
#include "reconcilers/validate.hpp"

namespace reconcilers {
namespace {

using crd::ConditionStatus;
namespace condition = crd::condition;
using namespace std::chrono_literals;

/// True when the Node this removal is bound to may have been deleted by us: the intent is written
/// to status before the request is sent, so it is there even when we died in between.
bool delete_was_intended(const Round& round) {
  return round.removal().status.conditions.find(condition::kNodeDeleted) != nullptr;
}

/// Finds out whether the node is the one this removal means. Ends the round when it is absent,
/// replaced or gone.
Step find_node(Round& round) {
  const auto* node = known(round.seen.node);
  if (node == nullptr) return round.need(FactName::Node, round.seen.node);
  const auto& name = round.spec().node_name;
  const auto& bound = round.status().node_uid;
  const auto& expected = bound.empty() ? round.spec().node_uid : bound;
  if (!*node) {
    if (!bound.empty()) return check_leftovers(round, false);
    return round.succeed(
        "NodeAbsent", "There was no Node " + name +
                          " when this NodeRemoval was first seen, so there was nothing to do. If "
                          "the name is a typing error, create a NodeRemoval with the right one.");
  }
  const auto& uid = (*node)->meta.uid;
  if (expected.empty() || uid == expected) return Step::Next;
  if (!bound.empty() && delete_was_intended(round)) return check_leftovers(round, true);
  settle(round);
  return round.succeed("AlreadyReplaced",
                       "Node " + name + " now has UID " + uid + " instead of " + expected +
                           ": the node this NodeRemoval meant is gone and its successor is left "
                           "alone. To remove that one, create a new NodeRemoval.");
}

void remember_spec(Round& round) {
  auto& status = round.status();
  if (!status.spec_hash.empty()) return;
  status.spec_hash = crd::fixed_spec_hash(round.spec());
  status.node_name = round.spec().node_name;
}

/// Holds the removal to the spec that it was first seen with.
Step hold_to_spec(Round& round) {
  if (!round.removal().spec_changed) return Step::Next;
  stand_still(round);
  return round.wait(
      "SpecChanged",
      "The spec was changed after this NodeRemoval was created, and nothing more is done. Only "
      "suspend, unreachable.fenced and ttlSecondsAfterFinished may be changed: put the rest back "
      "as it was to go on, or delete this NodeRemoval to cancel, and create another.");
}

Step check_spec(Round& round) {
  if (round.removal().spec_changed) return Step::Next;
  auto problem = validate(round.spec());
  // The operator may be installed anew without the right to clean, when it has begun.
  const bool begun = round.status().conditions.is_true(condition::kAccepted);
  if (!problem && !begun) problem = refuse_host_cleanup(round.spec(), round.policy);
  if (!problem) return Step::Next;
  round.set(condition::kAccepted, ConditionStatus::False, problem->reason, problem->message);
  return round.fail("InvalidSpec", problem->message);
}

/// Stops starting anything new. The clocks of steps that are under way start anew when it goes on.
Step check_suspend(Round& round) {
  if (!round.spec().suspend) return Step::Next;
  stand_still(round);
  if (round.node().is_ready())
    round.status().evidence.reset();  // the next silence counts from its own start
  // Before it has begun nothing is watched, and its node may go.
  if (!round.status().conditions.is_true(condition::kAccepted)) round.requeue_after(30s);
  return round.wait("Suspended",
                    "spec.suspend is true: nothing new is started, and what was done stays done. "
                    "Set it to false to "
                    "go on, or delete this NodeRemoval to cancel.");
}

Step finish_without_delete(Round& round) {
  if (round.spec().delete_node) return Step::Next;
  return round.succeed(
      "Drained", "Node " + round.spec().node_name +
                     " is drained and stays cordoned; spec.deleteNode is false. To use it again: "
                     "kubectl uncordon " +
                     round.spec().node_name);
}

/// Deletes the object some time after its end, when the user wants it.
void expire(Round& round) {
  const auto expiry = round.removal().expires_at();
  if (!expiry || round.removal().has_finalizer()) return;
  if (round.now >= *expiry) {
    round.decision.actions.emplace_back(DeleteRemoval{});
  } else {
    round.requeue_at(*expiry);
  }
}

void run(Round& round) {
  remember_spec(round);
  if (round.removal().is_group()) {
    if (check_spec(round) == Step::Wait) return;
    if (hold_to_spec(round) == Step::Wait) return hold_selected_nodes(round);
    return remove_selected_nodes(round);
  }
  for (const auto step :
       {check_spec, find_node, take_back_out_of_service, hold_to_spec, plan_only, accept,
        check_suspend, cordon, await_host_report, remove_pods, wait_for_migration, wait_for_volumes,
        finish_without_delete, may_delete_node, clean_host, delete_node}) {
    if (step(round) == Step::Wait) return;
  }
}

}  // namespace

Decision decide(const Observation& seen, const Policy& policy, crd::WallTime time) {
  Round round{seen, policy, time};
  const auto& removal = seen.removal;
  if (removal.status.is_terminal()) {
    const bool failed = removal.status.conditions.is(condition::kSucceeded, ConditionStatus::False);
    release(round, failed);
    expire(round);
  } else if (removal.is_being_deleted()) {
    release(round, true);
  } else {
    round.mend_times();
    run(round);
  }
  if (!round.decision.needs.empty()) round.decision.actions.clear();
  if (!seen.action_error.empty() && !round.decision.actions.empty()) {
    round.add_failure_to_summary(seen.action_error);
  }
  return std::move(round.decision);
}

}  // namespace reconcilers
