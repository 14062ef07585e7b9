#include "reconcilers/guards.hpp"
#include "reconcilers/host_cleanup.hpp"
#include "reconcilers/node_pods.hpp"
#include "reconcilers/steps.hpp"
#include "reconcilers/taints.hpp"

namespace reconcilers {
namespace {

using crd::ConditionStatus;
namespace condition = crd::condition;
using namespace std::chrono_literals;

Cordon cordon_action(const crd::Node& node, bool was_unschedulable) {
  return {.node = node.meta.name,
          .uid = node.meta.uid,
          .resource_version = node.meta.resource_version,
          .was_unschedulable = was_unschedulable,
          .taints = taints::with_removing(node)};
}

Step wait_for_holder(Round& round, std::string_view type, const std::string& holder) {
  round.requeue_after(5s);
  return round.wait(type, "ClaimedByOther",
                    "Node " + round.node().meta.name + " is being removed by NodeRemoval " +
                        holder + ". This one goes on when that one is finished or deleted.");
}

/// Whether a cancel leaves the node cordoned. What we wrote ourselves counts first, in the claim
/// and then in status; then the claim that a removal which no longer exists left behind; then what
/// is seen.
bool was_unschedulable_before(const Round& round, const std::optional<Claim>& claim) {
  if (claim && claim->uid == round.removal().meta.uid) return claim->was_unschedulable;
  const auto* cordoned = round.removal().status.conditions.find(condition::kCordoned);
  if (cordoned != nullptr && cordoned->status != ConditionStatus::Unknown) {
    return cordoned->reason == "AlreadyCordoned";
  }
  return round.node().unschedulable && (!claim || claim->was_unschedulable);
}

Step hold_uncordoned(Round& round) {
  const auto& name = round.node().meta.name;
  const std::string message =
      "Somebody uncordoned Node " + name +
      " while it is being removed, so nothing more is done. To go on: kubectl cordon " + name +
      ". To cancel: kubectl delete noderemoval " + round.removal().meta.name;
  round.set(condition::kCordoned, ConditionStatus::False, "Uncordoned", message);
  stand_still(round);
  round.requeue_after(5s);  // after a restart no watch of the node runs yet
  return round.wait("Uncordoned", message);
}

}  // namespace

std::optional<GuardRefusal> refuse(const Round& round, const std::vector<NodeSummary>& census) {
  const auto& spec = round.spec();
  auto refusal = refuse_to_begin(spec, round.node(), census, round.seen.others);
  if (const auto* removed = known(round.seen.removed_nodes); !refusal && removed != nullptr) {
    refusal = refuse_rejoined(spec, round.node(), *removed);
  }
  if (!refusal) refusal = refuse_over_budget(round.seen.others, round.policy);
  return refusal;
}

Step ask_for_removed_nodes(Round& round) {
  const bool matters = round.spec().node_uid.empty();
  if (!matters || known(round.seen.removed_nodes) != nullptr) return Step::Next;
  return round.need(FactName::RemovedNodes, round.seen.removed_nodes);
}

Step accept(Round& round) {
  const auto& node = round.node();
  // Bound at first sight, before any wait: a removal that waits must not take up with the successor
  // of its node.
  if (round.status().node_uid.empty()) round.status().node_uid = node.meta.uid;
  if (!round.status().conditions.is_true(condition::kAccepted)) {
    if (round.spec().suspend) {  // not begun while suspended, and nobody waits for it
      round.status().conditions.remove(condition::kAccepted);
      return Step::Next;
    }
    const auto* census = known(round.seen.census);
    if (census == nullptr) return round.need(FactName::Census, round.seen.census);
    if (const auto holder = held_by_other(node, round.removal().meta.uid, round.seen.others)) {
      return wait_for_holder(round, condition::kAccepted, *holder);
    }
    if (ask_for_removed_nodes(round) == Step::Wait) return Step::Wait;
    if (const auto refusal = refuse(round, *census)) {
      if (refusal->final) {
        round.set(condition::kAccepted, ConditionStatus::False, refusal->reason, refusal->message);
        return round.fail("Refused", refusal->message);
      }
      round.requeue_after(5s);
      return round.wait(condition::kAccepted, refusal->reason, refusal->message);
    }
    round.status().start_time = round.now;
    round.pass(condition::kAccepted, "Accepted",
               "Bound to Node " + node.meta.name + " with UID " + node.meta.uid);
  }
  if (!round.removal().has_finalizer() && !round.spec().suspend) {
    round.decision.actions.emplace_back(AddFinalizer{});
    return round.wait("Accepted", "About to cordon Node " + node.meta.name);
  }
  return Step::Next;
}

Step cordon(Round& round) {
  const auto& node = round.node();
  const auto claim = read_claim(node);
  const bool ours = claim && claim->uid == round.removal().meta.uid;
  const bool was_cordoned = round.status().conditions.find(condition::kCordoned) != nullptr &&
                            !round.began(condition::kCordoned);
  if (ours && node.unschedulable && taints::has_removing(node)) {
    round.pass(condition::kCordoned, claim->was_unschedulable ? "AlreadyCordoned" : "Cordoned",
               "Node " + node.meta.name + " takes no new pods");
    return Step::Next;
  }
  if (ours && !node.unschedulable) return hold_uncordoned(round);
  if (const auto holder = held_by_other(node, round.removal().meta.uid, round.seen.others)) {
    return wait_for_holder(round, condition::kCordoned, *holder);
  }
  if (was_cordoned && !node.unschedulable) return hold_uncordoned(round);
  round.decision.actions.emplace_back(cordon_action(node, was_unschedulable_before(round, claim)));
  if (was_cordoned) {
    return round.wait("Cordoning", "Somebody took the claim or the taint off Node " +
                                       node.meta.name +
                                       "; it is put back, because the node is being removed");
  }
  return round.wait(condition::kCordoned, "Cordoning", "Cordoning Node " + node.meta.name);
}

void release(Round& round, bool uncordon) {
  if (!round.removal().has_finalizer()) return;
  const auto* node = known(round.seen.node);
  if (node == nullptr) {
    if (!round.seen.node) round.decision.needs.insert(FactName::Node);
    round.requeue_after(5s);
    return;
  }
  const bool is_ours =
      *node && (*node)->meta.uid == round.status().node_uid && !(*node)->meta.deletion_timestamp;
  const auto claim = is_ours ? read_claim(**node) : std::nullopt;
  const bool claimed = claim && claim->uid == round.removal().meta.uid;
  // Somebody took only the claim away, or made it unreadable: the taint is still ours, and keeps
  // pods off the node.
  const bool marked = is_ours && (!claim || claim->uid.empty()) && taints::has_removing(**node) &&
                      round.status().conditions.find(condition::kCordoned) != nullptr;
  if (!claimed && !marked) {
    // A watch that is behind does not show a cordon whose answer was lost.
    if (!round.seen.node_is_fresh) {
      round.decision.needs.insert(FactName::FreshNode);
      return;
    }
    if (!remove_hand_over_pod(round)) return;
    round.decision.actions.emplace_back(RemoveFinalizer{});
    return;
  }
  if (!remove_hand_over_pod(round)) return;
  // A machine whose kubelet is being stopped must get no pods.
  if (host_cleanup_was_started(**node, round.removal().meta.uid)) uncordon = false;
  const bool was_unschedulable = was_unschedulable_before(round, claim);
  round.decision.actions.emplace_back(
      Release{.node = (*node)->meta.name,
              .uid = (*node)->meta.uid,
              .resource_version = (*node)->meta.resource_version,
              .uncordon = uncordon && !was_unschedulable && (*node)->unschedulable,
              .taints = taints::without_ours(**node)});
}

}  // namespace reconcilers
