#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "test/model/scenario.hpp"

namespace model {

/// What is wrong, and the shortest way there: one line per step.
struct Counterexample {
  std::string what;
  std::vector<std::string> trace;
};

struct Exploration {
  std::size_t states = 0;
  std::size_t transitions = 0;
  std::size_t depth = 0;
  std::chrono::milliseconds time{};
  std::optional<Counterexample> counterexample;
};

enum class Check { Safety, SafetyAndLiveness };

/// Walks breadth first through all worlds that can be reached, and checks every step. Then checks
/// that from each of them a run without faults comes to an end of the removal, or to a wait for
/// something that its status names, and stays there.
Exploration explore(const Scenario& scenario, Check check);

/// For humans.
std::string to_text(const Counterexample& counterexample);

}  // namespace model
