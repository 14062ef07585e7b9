#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "reconcilers/act.hpp"
#include "reconcilers/decision.hpp"
#include "test/model/objects.hpp"
#include "test/model/scenario.hpp"
#include "test/model/world.hpp"

namespace model {

/// A request as it leaves the process.
struct Request {
  Verb verb = Verb::None;
  std::string name{};              ///< of the node or pod
  std::string uid{};               ///< precondition
  std::string resource_version{};  ///< precondition
  boost::json::object patch{};
  std::optional<std::int64_t> grace{};
};

/// What the process remembers when its actions are done, or none of them goes on.
struct Memory {
  Byte told = 0, cleared = 0, refused = 0, pausing = 0;
  bool gate_refused = false;
  bool failed = false;
  bool knows_gone = false;
  Byte node_version = 0;     ///< of the newest answer that is remembered; 0: none
  Byte removal_version = 0;  ///< likewise
};

/// Either the next request, or the end.
struct Progress {
  std::optional<Request> request;
  Memory memory;
};

struct Verdict {
  std::uint16_t status = 0;
  std::uint16_t actions = 0;
  bool read_node = false;  ///< the process has asked for the node as it is now
  bool operator==(const Verdict&) const = default;
};

/// The production code as a machine that can be asked from any state. decide() and act() are called
/// as they are; what they said once is remembered. act() is a coroutine, which cannot be copied: to
/// know its next request it is run anew with the answers that it has got so far.
class Operator {
 public:
  Operator(const Scenario& scenario, Statuses& statuses)
      : scenario_(scenario), statuses_(statuses) {}

  /// What the process decides now. Facts that no watch shows are read from the world as it is; the
  /// hand-over pod only when it is `readable`.
  Verdict decide(const World& world, const Process& process, bool readable = true);
  /// How the actions of the process go on.
  const Progress& progress(const Process& process);

  const std::vector<reconcilers::Action>& actions(std::uint16_t id) const {
    return actions_.at(id);
  }

 private:
  Verdict decide_anew(const World& world, const Process& process, bool readable);
  Progress act(const Process& process);
  std::uint16_t id_of(std::vector<reconcilers::Action> actions, const std::string& node_version);
  reconcilers::Observation observe(const Process& process) const;
  void answer(reconcilers::FactName fact, const World& world, const Process& process,
              reconcilers::Observation& seen) const;

  const Scenario& scenario_;
  Statuses& statuses_;
  std::vector<std::vector<reconcilers::Action>> actions_{{}};
  std::unordered_map<std::string, std::uint16_t> action_ids_{{"", 0}};
  std::unordered_map<std::string, Verdict> decided_;
  std::unordered_map<std::string, Progress> acted_;
};

}  // namespace model
