#include <utility>

#include "test/model/api_server.hpp"
#include "test/model/machine.hpp"
#include "test/model/steps.hpp"

/// What humans do, and what breaks, as often as the budget says.
namespace model {
namespace {

namespace condition = crd::condition;

NodeState new_node(const NodeState& before) {
  return {.generation = 2, .version = static_cast<Byte>(before.version + 1), .ready_age = 0};
}

}  // namespace

void Steps::of_humans(const World& world, Out& out) {
  const auto add = [&](Byte Budget::* budget, std::string label, bool possible, auto change) {
    if (!possible || world.budget.*budget == 0) return;
    Successor next{std::move(label), world, std::nullopt};
    --(next.world.budget.*budget);
    change(next.world);
    out.push_back(std::move(next));
  };
  const auto add_node = [&](Byte Budget::* budget, std::string label, bool possible, auto change) {
    add(budget, std::move(label), possible && world.node.exists(), [&](World& next) {
      const bool took_pods = next.node.takes_pods();
      change(next.node);
      ++next.node.version;
      note_cordon(next, took_pods);
    });
  };
  const auto add_spec = [&](Byte Budget::* budget, std::string label, bool possible, auto change) {
    add(budget, std::move(label), possible && world.removal.exists, [&](World& next) {
      change(next.removal);
      ++next.removal.version;
    });
  };
  for (const auto& fault : faults_of_cleaning(world)) {
    add(&Budget::cleaning_fails, std::string{fault.label}, true, fault.change);
  }
  const auto& node = world.node;
  const auto& removal = world.removal;
  add_node(&Budget::heartbeat, "the kubelet reports", kubelet_works(world), [](NodeState&) {});
  add_node(&Budget::kubelet_stops, "the kubelet falls silent: NotReady", node.ready,
           [](NodeState& n) { n.ready = false, n.ready_age = 0; });
  add_node(&Budget::kubelet_returns, "the kubelet is back: Ready",
           !node.ready && !kubelet_is_off(world),
           [](NodeState& n) { n.ready = true, n.ready_age = 0; });
  add(&Budget::uncordon, "somebody uncordons the node", node.exists() && node.unschedulable,
      [](World& next) {
        next.node.unschedulable = false;
        next.hand_uncordoned = true;
        next.cordoned_by_hand = false;
        ++next.node.version;
        note_cordon(next, false);
      });
  const auto& status = statuses_.at(removal.status);
  const auto* cordoned = status.conditions.find(condition::kCordoned);
  const bool begun = cordoned != nullptr && cordoned->status != crd::ConditionStatus::Unknown;
  add(&Budget::cordon, "somebody cordons the node", node.exists() && !node.unschedulable,
      [&](World& next) {
        next.node.unschedulable = true;
        next.cordoned_by_hand = next.node.claim == Claim::None && !next.node.removing;
        ++next.node.version;
        note_cordon(next, world.node.takes_pods());
      });
  add_node(&Budget::take_claim, "somebody takes the claim off the node",
           begun && node.claim != Claim::None, [](NodeState& n) { n.claim = Claim::None; });
  add_node(&Budget::protect, "somebody protects the node", !node.is_protected,
           [](NodeState& n) { n.is_protected = true; });
  add(&Budget::delete_node, "somebody deletes the node", node.exists() && !status.node_uid.empty(),
      [](World& next) { next.node = {.generation = 0, .version = next.node.version}; });
  add(&Budget::join_again, "a node of that name joins", !node.exists(), [](World& next) {
    next.node = new_node(next.node);
    next.closed_for = 0;
  });
  add_spec(&Budget::cancel, "the user cancels", !removal.deleting, [](RemovalState& r) {
    r.deleting = true;
    r.exists = r.finalizer;
  });
  add_spec(&Budget::suspend, "the user suspends", !removal.suspend,
           [](RemovalState& r) { r.suspend = true; });
  add_spec(&Budget::resume, "the user resumes", removal.suspend,
           [](RemovalState& r) { r.suspend = false; });
  add_spec(&Budget::fence, "the user says that the machine is off", !node.ready && !removal.fenced,
           [](RemovalState& r) { r.fenced = true; });
  add(&Budget::outage, "the other nodes are NotReady", !world.outage,
      [](World& next) { next.outage = true; });
}

}  // namespace model
