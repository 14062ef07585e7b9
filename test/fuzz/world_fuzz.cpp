// A script of events for the small cluster of world.hpp, one byte each: users, the kubelet, the API
// server and the operator's own death. The world itself complains about every action that may never
// happen; at the end everything works again, and the removal has to get to its end.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <string>
#include <utility>

#include "test/fuzz/fuzz_input.hpp"
#include "test/unit/reconcilers/builders.hpp"
#include "test/unit/reconcilers/world.hpp"

namespace {

using namespace std::chrono_literals;
using reconcilers::FactName;
using reconcilers::World;

constexpr std::array kFacts{FactName::HandOverPod, FactName::Node,         FactName::FreshNode,
                            FactName::Pods,        FactName::Census,       FactName::Workloads,
                            FactName::Claims,      FactName::Attachments,  FactName::ServerMinor,
                            FactName::Trials,      FactName::RemovedNodes, FactName::Leftovers};

void choose_spec(World& world, fuzz::Input& input) {
  const auto flags = input.byte();
  const auto more = input.byte();
  world.edit([&](crd::NodeRemovalSpec& spec) {
    spec.delete_node = (flags & 1) == 0;
    spec.dry_run = (flags & 2) != 0 && (flags & 4) != 0;
    spec.drain.force = (flags & 8) != 0;
    spec.drain.delete_empty_dir_data = (flags & 16) != 0;
    spec.drain.disable_eviction = (flags & 32) != 0;
    spec.unreachable.fenced = (flags & 64) != 0;
    spec.migration.wait = (flags & 128) == 0;
    if ((more & 1) != 0) spec.drain.timeout_seconds = 60;
    if ((more & 2) != 0) spec.drain.on_timeout = crd::DrainTimeoutAction::Delete;
    if ((more & 4) != 0) spec.unreachable.tolerance_seconds = 0;
    spec.host_cleanup.enabled = (more & 16) != 0 && spec.delete_node;
    if ((more & 32) != 0) spec.host_cleanup.on_failure = crd::TimeoutAction::Continue;
  });
  world.server_minor = (more & 8) != 0 ? 36 : 20;
  if ((more & 64) != 0) world.machine = World::Machine::Silent;
  if ((more & 128) != 0) world.machine = World::Machine::Refuses;
}

void add_pod(World& world, fuzz::Input& input, int number) {
  const auto name = "p" + std::to_string(number);
  switch (input.below(7)) {
    case 0:
      return world.add_pod(reconcilers::make_pod(name));
    case 1:
      return world.add_pod(reconcilers::make_pod(name, "StatefulSet", "db"));
    case 2:
      return world.add_pod(reconcilers::make_pod(name, "DaemonSet", "proxy"));
    case 3:
      return world.add_pod(reconcilers::make_naked_pod(name));
    case 4:
      return world.add_pod(reconcilers::make_mirror_pod(name));
    case 5: {
      auto pod = reconcilers::make_pod(name);
      pod.empty_dir = true;
      return world.add_pod(std::move(pod));
    }
    default: {
      auto pod = reconcilers::make_pod(name);
      pod.meta.finalizers = {"example.com/hold"};
      return world.add_pod(std::move(pod));
    }
  }
}

/// One thing that happens.
void happen(World& world, fuzz::Input& input, int number) {
  switch (input.below(18)) {
    case 0:
      if (world.node) world.kill_kubelet();
      return;
    case 1:
      if (world.node) world.revive_kubelet();
      return;
    case 2:
      if (world.node) world.replace_node();
      return;
    case 3:
      return world.cancel();
    case 4:
      return world.restart_operator();
    case 5:
      if (world.node && world.pods.size() < 6) add_pod(world, input, number);
      return;
    case 6:
      if (!world.pods.empty()) {
        const auto& pod = world.pods[input.below(world.pods.size())];
        world.protected_pods.insert(pod.meta.uid);
      }
      return;
    case 7:
      return world.protected_pods.clear();
    case 8:
      world.unreadable.insert(kFacts[input.below(kFacts.size())]);
      return;
    case 9:
      return world.unreadable.clear();
    case 10:
      world.requests_fail = !world.requests_fail;
      return;
    case 11:
      return world.edit([](auto& spec) { spec.suspend = !spec.suspend; });
    case 12:
      return world.edit([](auto& spec) { spec.unreachable.fenced = !spec.unreachable.fenced; });
    case 13:
      if (world.node) world.set_unschedulable(!world.node->unschedulable);
      return;
    case 14:
      world.crash = [dies = true](const reconcilers::Action&) mutable {
        return std::exchange(dies, false);
      };
      return;
    case 15:
      return world.pass(std::chrono::seconds{1 << input.below(10)});
    case 16:
      world.let_others_work();
      return;
    default:
      world.round();
  }
}

/// Nothing fails any more, and users do what a removal may ask them for.
void make_everything_work(World& world) {
  world.log.clear();  // of requests that were refused, after which run() would pause
  world.unreadable.clear();
  world.requests_fail = false;
  world.protected_pods.clear();
  world.attachments.clear();
  world.crash = [](const reconcilers::Action&) { return false; };
  if (world.node && !world.node->is_ready()) world.revive_kubelet();
  if (world.node) world.set_unschedulable(true);
  for (auto& pod : world.pods) pod.meta.finalizers.clear();
  std::erase_if(world.pods,
                [](const auto& pod) { return pod.empty_dir || pod.meta.owner_references.empty(); });
  if (world.removal) world.edit([](auto& spec) { spec.suspend = false; });
}

}  // namespace

/// A complaint of the world is an exception, which libFuzzer takes for a finding.
extern "C" int LLVMFuzzerInitialize(int* /*argc*/, char*** /*argv*/) {
  GTEST_FLAG_SET(throw_on_failure, true);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  World world;
  choose_spec(world, input);
  for (int number = 0; number < 3; ++number) add_pod(world, input, number);
  for (int number = 3; number < 60 && !input.empty() && world.removal; ++number) {
    happen(world, input, number);
  }
  if (!world.removal) return 0;
  make_everything_work(world);
  world.run_to_end();  // complains when it does not end
  return 0;
}
