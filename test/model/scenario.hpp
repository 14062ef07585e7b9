#pragma once

#include <boost/json/object.hpp>
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
  int leaders = 1;                ///< processes that act at the same time
  PodKinds kinds{};
  boost::json::object spec;
  reconcilers::Policy policy;
};

/// The removal of a Ready node with these pods, all running.
Scenario make_scenario(std::string name, PodKinds kinds);

/// The start, with processes that have just seen it.
World first_world(const Scenario& scenario);

}  // namespace model
