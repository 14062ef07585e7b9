#pragma once

#include <optional>
#include <string>
#include <vector>

#include "test/model/operator.hpp"
#include "test/model/scenario.hpp"
#include "test/model/world.hpp"

namespace model {

/// One step of one party, and the world after it. `broken`: the invariant that it breaks.
struct Successor {
  std::string label;
  World world;
  std::optional<std::string> broken;
};

/// What may happen next in a world.
class Steps {
 public:
  Steps(const Scenario& scenario, Statuses& statuses, Operator& the_operator)
      : scenario_(scenario), statuses_(statuses), operator_(the_operator) {}

  std::vector<Successor> successors(const World& world);

  /// The world in which the first operator has come to this reason, on the straight way, and the
  /// others have just seen that.
  World world_at(std::string_view reason);

  /// The same world after everybody has done once what nothing keeps from being done: the watches
  /// deliver, the operator works until it waits, kubelets and controllers finish what they have
  /// begun, outages end, and a tick passes. No fault, and no human. Fills `trace` and returns false
  /// when an invariant is broken or the operator does not come to a rest.
  bool fair_round(World& world, std::vector<std::string>& trace);

 private:
  using Out = std::vector<Successor>;
  void of_process(const World& world, std::size_t which, Out& out);
  void of_others(const World& world, Out& out);
  void of_humans(const World& world, Out& out);
  void deliver(const World& world, std::size_t which, Out& out);
  void decide(const World& world, std::size_t which, Out& out);
  void carry_out(const World& world, std::size_t which, Process seen, Verdict verdict, Out& out);
  void send(const World& world, std::size_t which, Out& out);
  std::optional<Successor> first_move(const World& world, std::size_t which);
  /// Ends the actions of the process when there is no further request.
  void advance(Process& process);
  void tick(World& world);
  std::string name(std::size_t which) const;
  std::string words_of(const crd::NodeRemovalStatus& status) const;

  const Scenario& scenario_;
  Statuses& statuses_;
  Operator& operator_;
};

}  // namespace model
