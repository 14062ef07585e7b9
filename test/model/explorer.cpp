#include "test/model/explorer.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "test/model/operator.hpp"
#include "test/model/steps.hpp"

namespace model {
namespace {

namespace condition = crd::condition;

class Explorer {
 public:
  explicit Explorer(const Scenario& scenario)
      : operator_(scenario, statuses_),
        steps_(scenario, statuses_, operator_),
        max_depth_(scenario.max_depth) {
    const auto& reason = scenario.begins_with;
    add(reason.empty() ? first_world(scenario) : steps_.world_at(reason), 0, "start");
  }

  std::optional<Counterexample> check_safety() {
    for (std::size_t at = 0; at < visited_.size(); ++at) {
      if (max_depth_ != 0 && visited_[at].depth == max_depth_) break;
      const auto world = decode(*visited_[at].bytes);
      for (const auto& next : steps_.successors(world)) {
        ++transitions_;
        if (next.broken) {
          auto trace = way_to(at);
          trace.push_back(next.label);
          return Counterexample{*next.broken, std::move(trace)};
        }
        add(next.world, at, next.label);
      }
    }
    return std::nullopt;
  }

  std::optional<Counterexample> check_liveness() {
    for (std::size_t at = 0; at < visited_.size(); ++at) {
      if (auto found = follow(at)) return found;
    }
    return std::nullopt;
  }

  std::size_t states() const { return visited_.size(); }
  std::size_t transitions() const { return transitions_; }
  std::size_t depth() const { return visited_.back().depth; }

 private:
  struct Visit {
    const std::string* bytes;
    std::uint32_t parent;
    std::uint32_t label;
    std::uint32_t depth;
  };

  void add(const World& world, std::size_t parent, const std::string& label) {
    const auto [entry, is_new] = known_.insert(encode(world));
    if (!is_new) return;
    const auto number = label_numbers_.try_emplace(label, labels_.size());
    if (number.second) labels_.push_back(label);
    const auto depth = visited_.empty() ? 0 : visited_[parent].depth + 1;
    visited_.push_back({&*entry, static_cast<std::uint32_t>(parent),
                        static_cast<std::uint32_t>(number.first->second), depth});
  }

  std::vector<std::string> way_to(std::size_t at) const {
    std::vector<std::string> way;
    for (; at != 0; at = visited_[at].parent) way.push_back(labels_[visited_[at].label]);
    std::ranges::reverse(way);
    return way;
  }

  /// Follows the fair run from here, until it comes to where one was followed before.
  std::optional<Counterexample> follow(std::size_t at) {
    constexpr int kManyRounds = 40;
    auto world = decode(*visited_[at].bytes);
    auto trace = way_to(at);
    trace.emplace_back("-- from here nothing fails any more");
    std::vector<std::string> on_the_way;
    for (int round = 0; round < kManyRounds; ++round) {
      auto here = encode(world);
      if (good_.contains(here)) break;
      on_the_way.push_back(here);
      const auto length = trace.size();
      if (!steps_.fair_round(world, trace)) return Counterexample{trace.back(), std::move(trace)};
      if (encode(world) != here) continue;
      if (writes(trace, length)) return Counterexample{"S19: writes at rest", std::move(trace)};
      if (auto problem = problem_at_rest(world)) return Counterexample{*problem, std::move(trace)};
      break;
    }
    if (on_the_way.size() == kManyRounds) {
      return Counterexample{"L1: goes on for ever and never comes to an end", std::move(trace)};
    }
    good_.insert(std::make_move_iterator(on_the_way.begin()),
                 std::make_move_iterator(on_the_way.end()));
    return std::nullopt;
  }

  /// Versions are ranks, so a world in which something is written for ever may look the same.
  static bool writes(const std::vector<std::string>& trace, std::size_t from) {
    return std::any_of(trace.begin() + static_cast<std::ptrdiff_t>(from), trace.end(),
                       [](const std::string& line) {
                         return line.contains(" writes ") || line.contains(": PATCH ") ||
                                line.contains(": DELETE ") || line.contains(": POST ") ||
                                line.contains(": evict ");
                       });
  }

  /// Whether what the removal waits for is really there, for the waits that may last.
  static bool waits_for_somebody(const World& world, std::string_view reason) {
    const auto& node = world.node;
    if (reason == "Uncordoned") return world.hand_uncordoned && !node.unschedulable;
    if (reason == "Suspended") return world.removal.suspend;
    if (reason == "NeedsFencing") return !node.ready && !world.removal.fenced;
    if (reason == "NodeProtected" || reason == "DeleteRefused") return node.is_protected;
    return false;
  }

  std::optional<std::string> problem_at_rest(const World& world) const {
    const bool pod_left = world.hand_over != HandOver::None;
    if (!world.removal.exists) {
      if (world.node.is_claimed() || world.node.removing)
        return "L9: the removal is gone and the node still has its claim or taint";
      if (pod_left) return "L10: the removal is gone and its hand-over pod is still there";
      return std::nullopt;
    }
    if (world.removal.deleting) return "L9: the cancelled removal never goes";
    const auto& status = statuses_.at(world.removal.status);
    if (status.is_terminal()) {
      if (world.removal.finalizer) return "L1: the finished removal keeps its finalizer";
      if (pod_left) return "L10: the removal is finished and its hand-over pod is still there";
      return std::nullopt;
    }
    const auto* summary = status.conditions.find(condition::kSucceeded);
    const std::string reason = summary == nullptr ? "" : summary->reason;
    if (waits_for_somebody(world, reason)) return std::nullopt;
    return "L2: stops with the reason \"" + reason + "\", which nobody can do anything about";
  }

  Statuses statuses_;
  Operator operator_;
  Steps steps_;
  std::unordered_set<std::string> known_;
  std::unordered_set<std::string> good_;
  std::vector<Visit> visited_;
  std::vector<std::string> labels_;
  std::unordered_map<std::string, std::size_t> label_numbers_;
  std::size_t transitions_ = 0;
  std::size_t max_depth_ = 0;
};

}  // namespace

Exploration explore(const Scenario& scenario, Check check) {
  const auto begin = std::chrono::steady_clock::now();
  Explorer explorer{scenario};
  auto found = explorer.check_safety();
  if (!found && check == Check::SafetyAndLiveness) found = explorer.check_liveness();
  return {.states = explorer.states(),
          .transitions = explorer.transitions(),
          .depth = explorer.depth(),
          .time = std::chrono::duration_cast<std::chrono::milliseconds>(
              std::chrono::steady_clock::now() - begin),
          .counterexample = std::move(found)};
}

std::string to_text(const Counterexample& counterexample) {
  std::string text = counterexample.what + "\n";
  std::size_t number = 0;
  for (const auto& line : counterexample.trace) {
    text += "  " + std::to_string(++number) + ". " + line + "\n";
  }
  return text;
}

}  // namespace model
