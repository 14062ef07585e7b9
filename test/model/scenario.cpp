#include "test/model/scenario.hpp"

#include <utility>

namespace model {

using std::chrono::seconds;

Scenario make_scenario(std::string name, PodKinds kinds) {
  Scenario scenario;
  scenario.name = std::move(name);
  scenario.kinds = kinds;
  scenario.spec = {
      {"nodeName", kNodeName},
      {"drain", boost::json::object{{"timeoutSeconds", 0}}},
      {"migration", boost::json::object{{"timeoutSeconds", 0}}},
      {"volumes", boost::json::object{{"timeoutSeconds", 0}}},
      {"unreachable", boost::json::object{{"toleranceSeconds", kTickSeconds}}},
  };
  scenario.policy.overdue_margin = seconds{kTickSeconds};
  scenario.policy.leftovers_timeout = seconds{2 * kTickSeconds};
  scenario.policy.brake_min_nodes = 2;
  auto& world = scenario.start;
  world.node.generation = 1;
  world.node.version = 1;
  world.closed_for = 0;
  world.removal.exists = true;
  world.removal.version = 1;
  for (std::size_t i = 0; i < kPods; ++i) {
    if (kinds[i] != PodKind::None) world.pods[i].phase = PodPhase::Running;
  }
  return scenario;
}

Scenario make_cleaning_scenario(std::string name, PodKinds kinds, std::string_view on_failure) {
  auto scenario = make_scenario(std::move(name), kinds);
  scenario.spec["hostCleanup"] = {
      {"enabled", true}, {"timeoutSeconds", kCleaningTime.count()}, {"onFailure", on_failure}};
  scenario.policy.host_cleanup_namespace = "noderemoval-host";
  scenario.policy.host_cleanup_image = "noderemoval:1";
  scenario.start.node.start = Start::Others;
  scenario.start.node.report = Report::OthersSucceeded;
  return scenario;
}

World first_world(const Scenario& scenario) {
  auto world = scenario.start;
  for (int i = 0; i < scenario.leaders; ++i) {
    auto& process = world.processes.at(static_cast<std::size_t>(i));
    process.alive = true;
    process.removal = world.removal;
    process.node = world.node;
    process.pods = world.pods;
  }
  canonicalise(world);
  return world;
}

}  // namespace model
