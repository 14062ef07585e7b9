#include "test/model/machine.hpp"

namespace model {
namespace {

bool pod_may_end(const World& world) {
  return kubelet_works(world) && world.hand_over == HandOver::Pending;
}

void report(World& world, Report report, Machine machine) {
  world.node.report = report;
  ++world.node.version;
  world.machine = machine;
}

void hand_over(World& world) {
  world.hand_over = HandOver::HandedOver;
  // On the machine of a successor nobody waits: it finds another UID.
  if (world.node.generation == 1) world.machine = Machine::Waiting;
}

void show_stopped_kubelet(World& world) {
  world.node.ready = false;
  world.node.ready_age = 0;
  ++world.node.version;
}

bool reports_to_node(const World& world) {
  return world.node.generation == 1 && world.machine == Machine::Cleaning;
}

}  // namespace

bool kubelet_is_off(const World& world) {
  return world.node.generation == 1 && world.machine >= Machine::Cleaning;
}

bool kubelet_works(const World& world) {
  return world.node.exists() && world.node.ready && !kubelet_is_off(world);
}

std::vector<CleaningStep> steps_of_cleaning(const World& world) {
  std::vector<CleaningStep> steps;
  const auto& node = world.node;
  if (pod_may_end(world)) steps.push_back({"the pod hands the cleaning over", hand_over});
  if (world.machine == Machine::Waiting) {
    const bool cancelled = node.generation != 1 || !node.is_claimed();
    if (cancelled) {
      steps.push_back({"the machine waits no longer for its start",
                       [](World& w) { w.machine = Machine::Untouched; }});
    } else if (node.start == Start::Ours) {
      steps.push_back({"the machine stops its kubelet and cleans itself",
                       [](World& w) { w.machine = Machine::Cleaning; }});
    }
  }
  if (reports_to_node(world)) {
    steps.push_back({"the machine reports that it is clean",
                     [](World& w) { report(w, Report::Succeeded, Machine::Clean); }});
  }
  if (kubelet_is_off(world) && node.ready) {
    steps.push_back({"the node of the machine is NotReady", show_stopped_kubelet});
  }
  return steps;
}

std::vector<CleaningStep> faults_of_cleaning(const World& world) {
  std::vector<CleaningStep> faults;
  if (pod_may_end(world)) {
    faults.push_back({"the pod says that the machine cannot be cleaned",
                      [](World& w) { w.hand_over = HandOver::Refused; }});
  }
  if (world.machine == Machine::Waiting) {
    faults.push_back({"the program on the machine ends before its start",
                      [](World& w) { w.machine = Machine::Untouched; }});
  }
  if (reports_to_node(world)) {
    faults.push_back({"the machine reports that it is not clean",
                      [](World& w) { report(w, Report::Failed, Machine::Unclean); }});
    faults.push_back({"the machine never reports", [](World& w) { w.machine = Machine::Unclean; }});
  }
  return faults;
}

}  // namespace model
