#include "test/model/invariants.hpp"

#include <algorithm>
#include <utility>

#include "crd/json.hpp"
#include "test/model/api_server.hpp"

namespace model {
namespace {

namespace condition = crd::condition;
using Broken = std::optional<std::string>;

/// What the process was told last when it asked this, while it carries out these actions.
const Answer* told(const Process& process, Verb verb) {
  for (std::size_t i = process.answered; i-- > 0;) {
    const auto& answer = process.answers[i];
    if (answer.verb == verb && answer.fault == Fault::None) return &answer;
  }
  return nullptr;
}

/// S1, S13, S18: for everything destructive.
Broken broken_by_destruction(const Process& process) {
  const auto* removal = told(process, Verb::GetRemoval);
  const auto* node = told(process, Verb::GetNode);
  if (removal == nullptr) return "S18: destroys without a quorum read of the NodeRemoval";
  if (node == nullptr) return "S18: destroys without a quorum read of the Node";
  if (removal->removal.deleting) return "S13: goes on although it has read that it is cancelled";
  if (removal->removal.suspend) return "S13: goes on although it has read that it is suspended";
  if (node->node.generation != 1) return "S1: acts on the successor of its node";
  if (!node->node.unschedulable) return "S4: acts on a node that it has read to be schedulable";
  if (node->node.claim == Claim::None) return "S4: acts on a node without its claim";
  return std::nullopt;
}

Broken broken_by_outage(const Process& process) {
  const auto* nodes = told(process, Verb::ListNodes);
  if (nodes == nullptr) return "S18: destroys without a quorum list of the nodes";
  if (nodes->outage) return "S9: destroys while most nodes are NotReady";
  return std::nullopt;
}

Broken broken_by_dead_node_work(const World& world, const Process& process, const Request& request,
                                PodKind kind) {
  const auto& node = told(process, Verb::GetNode)->node;
  if (node.ready) return "S7: deletes a pod of a Ready node past the Eviction API";
  if (node.ready_age < 1) return "S5: the node is not NotReady for as long as it has to be";
  if (auto broken = broken_by_outage(process)) return broken;
  const bool fenced = told(process, Verb::GetRemoval)->removal.fenced;
  if (kind == PodKind::Stateful && !fenced) {
    return "S5: a pod that must not run twice, and nobody says that the machine is off";
  }
  if (request.grace != 0) return std::nullopt;
  const auto pod = pod_named(world, request);
  if (!pod) return std::nullopt;
  if (world.pods[*pod].phase != PodPhase::Terminating)
    return "S5: clears a pod that nobody told to stop";
  if (world.pods[*pod].age < 2)
    return "S5: clears a pod before its grace period and the margin are over";
  return std::nullopt;
}

Broken broken_by_pod_request(const World& world, const Process& process, const Request& request,
                             const Scenario& scenario) {
  if (request.uid.empty()) return "S2: a request for a pod without UID";
  if (auto broken = broken_by_destruction(process)) return broken;
  const auto index = static_cast<std::size_t>(request.name.back() - '0');
  const auto kind = scenario.kinds.at(index);
  if (kind == PodKind::Daemon || kind == PodKind::None)
    return "S12: a pod that belongs to the node";
  if (request.verb == Verb::DeletePod) {
    return broken_by_dead_node_work(world, process, request, kind);
  }
  if (!told(process, Verb::GetNode)->node.ready) return "S7: evicts from a node that is NotReady";
  if (request.grace && *request.grace < 1) return "S6: evicts with grace 0";
  return std::nullopt;
}

bool would_be_lost(PodKind kind, const PodState& pod) {
  return pod.on_node() && kind != PodKind::Daemon;
}

/// When the Node, or its kubelet, goes in this very moment. `verb`: deletes, stops.
Broken broken_by_loss(const World& world, const Scenario& scenario, const std::string& verb) {
  if (world.node.generation != 1) return "S1: " + verb + " the successor of its node";
  if (!world.node.unschedulable || world.node.claim == Claim::None) {
    return "S3: " + verb + " a node that is not cordoned and claimed";
  }
  if (world.closed_for < 1) return "S3: " + verb + " a node to which a pod may still be bound";
  for (std::size_t i = 0; i < kPods; ++i) {
    if (would_be_lost(scenario.kinds[i], world.pods[i])) {
      return "S3: shop/" + pod_name(i) + " is lost with the node";
    }
  }
  if (world.attached) return "S20: " + verb + " a node with an attached volume";
  if (world.node.is_protected) return "S10: " + verb + " a protected node";
  return std::nullopt;
}

const crd::Condition* host_cleaned(const RemovalState& removal, const Statuses& statuses) {
  return statuses.at(removal.status).conditions.find(condition::kHostCleaned);
}

bool is_under_way(const crd::Condition* step) {
  return step != nullptr && step->status == crd::ConditionStatus::Unknown;
}

/// Before the Node goes: what became of its machine is known.
Broken broken_by_unclean_machine(const Process& process, const Scenario& scenario,
                                 const Statuses& statuses) {
  const auto* cleaned = host_cleaned(told(process, Verb::GetRemoval)->removal, statuses);
  if (!scenario.cleans_host() || (cleaned != nullptr && !is_under_way(cleaned))) {
    return std::nullopt;
  }
  return "S4: deletes a node before it is known what became of the cleaning of its machine";
}

Broken broken_by_deleted_node(const World& world, const Scenario& scenario,
                              const Statuses& statuses) {
  if (auto broken = broken_by_loss(world, scenario, "deletes")) return broken;
  if (scenario.leaders > 1) return std::nullopt;  // two may undo each other's notes
  const auto& status = statuses.at(world.removal.status);
  if (status.conditions.find(condition::kNodeDeleted) == nullptr) {
    return "S17: deletes a node before that is in status";
  }
  if (!world.recorded) return "S17: deletes a node before that is recorded";
  return std::nullopt;
}

Broken broken_by_node_delete(const World& world, const Process& process, const Request& request,
                             const Scenario& scenario, const Statuses& statuses) {
  if (request.name != kNodeName) return "S1: deletes a node of another name";
  if (request.uid.empty() || request.resource_version.empty()) {
    return "S2: deletes a node without UID or resourceVersion";
  }
  if (auto broken = broken_by_destruction(process)) return broken;
  if (auto broken = broken_by_outage(process)) return broken;
  if (told(process, Verb::ListPods) == nullptr)
    return "S18: deletes a node without a list of its pods";
  if (auto broken = broken_by_unclean_machine(process, scenario, statuses)) return broken;
  if (!takes_effect(world, request)) return std::nullopt;
  return broken_by_deleted_node(world, scenario, statuses);
}

/// Lets the machine begin to clean itself, after which there is no way back.
Broken broken_by_start(const World& world, const Process& process, const Request& request,
                       const Scenario& scenario, const Statuses& statuses) {
  if (auto broken = broken_by_destruction(process)) return broken;
  if (auto broken = broken_by_outage(process)) return broken;
  if (told(process, Verb::ListPods) == nullptr)
    return "S18: stops a kubelet without a list of its pods";
  if (!told(process, Verb::GetNode)->node.ready)
    return "S7: starts the cleaning of a machine that it has read to be NotReady";
  const auto* cleaned = host_cleaned(told(process, Verb::GetRemoval)->removal, statuses);
  if (!is_under_way(cleaned)) return "S22: starts a cleaning that status does not wait for";
  if (kNow - cleaned->last_transition_time >= kCleaningTime) {
    return "S22: starts a cleaning whose time is over";
  }
  if (!takes_effect(world, request)) return std::nullopt;
  if (world.node.start == Start::Ours) return std::nullopt;  // changes nothing
  if (scenario.leaders == 1 && world.hand_over != HandOver::HandedOver) {
    return "S22: starts a cleaning that nobody on the machine waits for";
  }
  return broken_by_loss(world, scenario, "stops the kubelet of");
}

Broken broken_by_node_patch(const World& world, const Process& process, const Request& request,
                            const Scenario& scenario, const Statuses& statuses) {
  if (request.uid.empty() || request.resource_version.empty()) {
    return "S2: changes a node without UID or resourceVersion";
  }
  if (request.uid != node_uid(1)) return "S1: changes the successor of its node";
  const auto* spec = crd::json::object_at(request.patch, "spec");
  if (spec == nullptr) return broken_by_start(world, process, request, scenario, statuses);
  const auto* unschedulable = spec->if_contains("unschedulable");
  const bool cordons = unschedulable != nullptr && unschedulable->is_bool();
  if (cordons && world.hand_uncordoned && !world.node.unschedulable &&
      takes_effect(world, request)) {
    return "S13: cordons again what a human has uncordoned";
  }
  const bool uncordons = unschedulable != nullptr && unschedulable->is_null();
  if (uncordons && world.cordoned_by_hand && takes_effect(world, request))
    return "S13: uncordons what a human had cordoned";
  if (uncordons && world.node.start == Start::Ours && takes_effect(world, request)) {
    return "S23: uncordons a node whose machine was told to stop its kubelet";
  }
  return std::nullopt;
}

/// The end of a cancelled or failed removal.
Broken broken_by_release(const World& world, const Scenario& scenario) {
  const auto& node = world.node;
  // What one of two leaders makes when the other is at the end goes with the NodeRemoval.
  const bool pod_left = scenario.leaders == 1 && world.hand_over != HandOver::None;
  if (pod_left) return "L10: leaves its hand-over pod behind";
  if (node.generation != 1) return std::nullopt;
  if (node.claim == Claim::Ours || node.claim == Claim::OursOnCordoned || node.removing) {
    return "L9: lets go of a node that still has its claim or taint";
  }
  const bool takes_no_pods_again = node.start == Start::Ours;
  if (node.unschedulable && !world.cordoned_by_hand && !takes_no_pods_again)
    return "L9: leaves a node cordoned";
  return std::nullopt;
}

Broken broken_by_finalizers(const World& world, const Request& request, const Scenario& scenario) {
  const auto finalizers =
      crd::json::strings_at(request.patch.at("metadata").as_object(), "finalizers");
  const auto has = [&](std::string_view name) {
    return std::ranges::find(finalizers, name) != finalizers.end();
  };
  if (!has("somebody.else/finalizer")) return "S16: removes a foreign finalizer";
  if (has(crd::kFinalizer) || !takes_effect(world, request)) return std::nullopt;
  return broken_by_release(world, scenario);
}

}  // namespace

Broken broken_by(const World& world, const Process& process, const Request& request,
                 const Scenario& scenario, const Statuses& statuses) {
  switch (request.verb) {
    case Verb::Evict:
    case Verb::DeletePod:
      return broken_by_pod_request(world, process, request, scenario);
    case Verb::DeleteNode:
      return broken_by_node_delete(world, process, request, scenario, statuses);
    case Verb::PatchNode:
      return broken_by_node_patch(world, process, request, scenario, statuses);
    case Verb::PatchRemoval:
      return broken_by_finalizers(world, request, scenario);
    case Verb::None:
    case Verb::GetRemoval:
    case Verb::GetNode:
    case Verb::ListNodes:
    case Verb::ListPods:
    case Verb::PatchRecord:
      break;
    case Verb::CreateHandOver:
      return is_under_way(host_cleaned(process.removal, statuses))
                 ? std::nullopt
                 : Broken{"S17: makes a pod before that is in status"};
    case Verb::DeleteHandOver:
      if (request.uid.empty()) return "S2: deletes a hand-over pod without UID";
      break;
  }
  return std::nullopt;
}

Broken broken_by_status(const World& world, const crd::NodeRemovalStatus& before,
                        const crd::NodeRemovalStatus& after) {
  const bool there = world.node.generation == 1;
  if (there && after.conditions.is_true(condition::kNodeDeleted)) {
    return "S11: says that the node is deleted while it exists";
  }
  if (there && after.conditions.is_true(condition::kSucceeded)) {
    return "S11: says that it succeeded while the node exists";
  }
  if (after.conditions.is_true(condition::kHostCleaned) && world.machine != Machine::Clean) {
    return "S11: calls a machine clean that has not said so";
  }
  const auto* cleaned = after.conditions.find(condition::kHostCleaned);
  const bool given_up = cleaned != nullptr && cleaned->status == crd::ConditionStatus::False &&
                        !before.conditions.is(condition::kHostCleaned, cleaned->status);
  const bool not_started =
      given_up && (cleaned->reason == "TimedOut" || cleaned->reason == "HandOverFailed" ||
                   cleaned->reason == "HostUnreachable");
  if (there && not_started && world.node.start == Start::Ours) {
    return "S11: says that nothing was changed on a machine that was told to clean itself";
  }
  if (!before.node_uid.empty() && before.node_uid != after.node_uid) {
    return "S1: binds itself to another node";
  }
  if (before.is_terminal() && !after.is_terminal()) return "S17: begins again after its end";
  const auto* end = before.conditions.find(condition::kSucceeded);
  if (before.is_terminal() && !after.conditions.is(condition::kSucceeded, end->status)) {
    return "S17: takes its end back";
  }
  if (world.removal.deleting && after.is_terminal() && !before.is_terminal()) {
    return "S13: ends although it is cancelled";
  }
  return std::nullopt;
}

}  // namespace model
