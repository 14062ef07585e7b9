#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <string>

#include "reconcilers/policy.hpp"
#include "test/model/objects.hpp"
#include "test/model/world.hpp"

namespace model {

/// Where an exploration starts, and what does not change in it.
struct Scenario {
  std::string name;
  World start;
  bool watches_together = false;  ///< fewer worlds: the watches of a process are equally far behind
  std::string begins_with;        ///< not at the start, but when the summary has this reason
  std::size_t max_depth = 0;      ///< steps; 0: no limit
  int leaders = 1;                ///< processes that act at the same time
  PodKinds kinds{};
  boost::json::object spec;
  reconcilers::Policy policy;
  bool cleans_host() const { return spec.contains("hostCleanup"); }
};

/// The time limit of the cleaning of a machine.
inline constexpr std::chrono::seconds kCleaningTime{kTickSeconds};

/// The removal of a Ready node with these pods, all running.
Scenario make_scenario(std::string name, PodKinds kinds);

/// The same, and its machine is cleaned. An earlier removal has left its annotations on the node.
Scenario make_cleaning_scenario(std::string name, PodKinds kinds, std::string_view on_failure);

/// The start, with processes that have just seen it.
World first_world(const Scenario& scenario);

}  // namespace model
