#include "test/model/api_server.hpp"

#include <algorithm>

#include "crd/json.hpp"

namespace model {
namespace {

bool version_holds(const std::string& wanted, Byte version) {
  return wanted.empty() || wanted == std::to_string(version);
}

Fault node_fault(const World& world, const Request& request) {
  const auto& node = world.node;
  if (!node.exists()) return Fault::NotFound;
  const bool patch = request.verb == Verb::PatchNode;
  if (!request.uid.empty() && request.uid != node_uid(node.generation)) {
    return patch ? Fault::WrongUid : Fault::Conflict;
  }
  return version_holds(request.resource_version, node.version) ? Fault::None : Fault::Conflict;
}

Fault pod_fault(const World& world, const Request& request) {
  const auto pod = pod_named(world, request);
  if (!pod) return Fault::NotFound;
  const bool evicts_running =
      request.verb == Verb::Evict && world.pods[*pod].phase == PodPhase::Running;
  return evicts_running && world.budget_blocks ? Fault::Budget : Fault::None;
}

Fault removal_fault(const World& world, const Request& request) {
  if (!world.removal.exists) return Fault::NotFound;
  return version_holds(request.resource_version, world.removal.version) ? Fault::None
                                                                        : Fault::Conflict;
}

Fault fault_of(const World& world, const Request& request) {
  switch (request.verb) {
    case Verb::GetRemoval:
    case Verb::PatchRemoval:
      return removal_fault(world, request);
    case Verb::GetNode:
    case Verb::PatchNode:
    case Verb::DeleteNode:
      return node_fault(world, request);
    case Verb::Evict:
    case Verb::DeletePod:
      return pod_fault(world, request);
    case Verb::CreateHandOver:
      return world.hand_over == HandOver::None ? Fault::None : Fault::Conflict;
    case Verb::DeleteHandOver:
      if (world.hand_over == HandOver::None) return Fault::NotFound;
      return request.uid == kHandOverUid ? Fault::None : Fault::Conflict;
    case Verb::None:
    case Verb::ListNodes:
    case Verb::ListPods:
    case Verb::PatchRecord:
      break;
  }
  return Fault::None;
}

void patch_finalizers(World& world, const Request& request) {
  const auto finalizers =
      crd::json::strings_at(request.patch.at("metadata").as_object(), "finalizers");
  auto& removal = world.removal;
  removal.finalizer = std::ranges::find(finalizers, crd::kFinalizer) != finalizers.end();
  ++removal.version;
  if (removal.deleting && !removal.finalizer) removal.exists = false;
}

void change(World& world, const Request& request) {
  const bool took_pods = world.node.takes_pods();
  switch (request.verb) {
    case Verb::PatchRemoval:
      return patch_finalizers(world, request);
    case Verb::PatchNode:
      apply_patch(world.node, request.patch);
      ++world.node.version;
      return note_cordon(world, took_pods);
    case Verb::PatchRecord:
      world.recorded = true;
      return;
    case Verb::Evict:
    case Verb::DeletePod: {
      auto& pod = world.pods[*pod_named(world, request)];
      if (request.grace == 0) {
        pod = {};
      } else if (pod.phase == PodPhase::Running) {
        pod = {.phase = PodPhase::Terminating, .age = 0};
      }
      return;
    }
    case Verb::DeleteNode:
      world.node = {.generation = 0, .version = world.node.version};
      return;
    case Verb::CreateHandOver:
      world.hand_over = HandOver::Pending;
      return;
    case Verb::DeleteHandOver:
      world.hand_over = HandOver::None;
      return;
    case Verb::None:
    case Verb::GetRemoval:
    case Verb::GetNode:
    case Verb::ListNodes:
    case Verb::ListPods:
      return;
  }
}

bool is_about_node(Verb verb) {
  return verb == Verb::GetNode || verb == Verb::PatchNode || verb == Verb::ListNodes;
}

}  // namespace

std::optional<std::size_t> pod_named(const World& world, const Request& request) {
  for (std::size_t i = 0; i < kPods; ++i) {
    const bool means_it = request.name == pod_name(i);
    const bool same = request.uid.empty() || request.uid == pod_uid(i);
    if (means_it && same && world.pods[i].on_node()) return i;
  }
  return std::nullopt;
}

void note_cordon(World& world, bool took_pods) {
  if (took_pods || world.node.takes_pods()) world.closed_for = 0;
}

bool takes_effect(const World& world, const Request& request) {
  return fault_of(world, request) == Fault::None;
}

Answer serve(World& world, const Request& request) {
  Answer answer{.removal = {}, .node = {}, .pods = {}, .verb = request.verb};
  answer.fault = fault_of(world, request);
  if (answer.fault != Fault::None) return answer;
  change(world, request);
  if (is_about_node(request.verb)) answer.node = world.node;
  if (request.verb == Verb::GetRemoval || request.verb == Verb::PatchRemoval) {
    answer.removal = world.removal;
  }
  if (request.verb == Verb::ListPods) answer.pods = world.pods;
  if (request.verb == Verb::ListNodes) answer.outage = world.outage;
  return answer;
}

}  // namespace model
