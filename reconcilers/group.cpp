#include "reconcilers/group.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "crd/hash.hpp"
#include "reconcilers/messages.hpp"
#include "reconcilers/steps.hpp"

namespace reconcilers {
namespace {

using crd::ConditionStatus;
namespace condition = crd::condition;
using namespace std::chrono_literals;

/// The child is written down before it is made: a node with this reason and without a child still
/// has to get one; a node with any other reason had one.
constexpr std::string_view kStarting = "Starting";
/// The child was seen, and has no reason of its own yet.
constexpr std::string_view kStarted = "Started";

constexpr std::array kGoodEnds{"NodeRemoved", "NodeAbsent", "Drained", "AlreadyReplaced"};
constexpr std::array kBadEnds{"InvalidSpec",     "Refused",   "DrainTimedOut", "MigrationTimedOut",
                              "VolumesTimedOut", "Cancelled", "NodeRejoined"};

bool is_one_of(std::string_view reason, const auto& reasons) {
  return std::ranges::find(reasons, reason) != reasons.end();
}
bool has_ended(const crd::SelectedNode& node) {
  return is_one_of(node.reason, kGoodEnds) || is_one_of(node.reason, kBadEnds);
}

using Children = std::map<std::string, const Child*>;  // by name of the node

Children children_of(const Round& round) {
  Children result;
  for (const auto& child : round.seen.children) result[child.node_name] = &child;
  return result;
}

std::string describe_plan(const std::vector<crd::SelectedNode>& nodes) {
  std::vector<std::string> rejoined;
  for (const auto& node : nodes) {
    if (!node.reason.empty()) rejoined.push_back(node.name);
  }
  auto text = "Nothing was touched. " + count_of(nodes.size() - rejoined.size(), "node") +
              " would be removed; see status.nodes.";
  if (!rejoined.empty()) {
    text += " " + name_some(rejoined) +
            " would be left out: removed before and joined again (NodeRejoined); each needs a "
            "NodeRemoval with nodeName and nodeUID.";
  }
  return text;
}

/// Fixes the set of nodes: those that join later are not in it.
Step accept_nodes(Round& round) {
  if (round.status().conditions.is_true(condition::kAccepted)) return Step::Next;
  const auto* matches = known(round.seen.matches);
  if (matches == nullptr) return round.need(FactName::Matches, round.seen.matches);
  const auto* removed = known(round.seen.removed_nodes);
  if (removed == nullptr) return round.need(FactName::RemovedNodes, round.seen.removed_nodes);
  if (matches->empty()) {
    return round.succeed("NodeAbsent",
                         "No Node matched spec.nodeSelector when this NodeRemoval was first seen, "
                         "so there was nothing to do. Look at: kubectl get nodes -l '" +
                             round.spec().node_selector->query() + "'");
  }
  if (matches->size() > crd::kMaxNodes) {
    const std::string message = "spec.nodeSelector matches " + count_of(matches->size(), "node") +
                                "; at most " + std::to_string(crd::kMaxNodes) +
                                " can be removed by one NodeRemoval. Use a narrower selector.";
    round.set(condition::kAccepted, ConditionStatus::False, "TooManyNodes", message);
    return round.fail("Refused", message);
  }
  for (const auto& [name, uid] : *matches) {
    const auto before = removed->find(name);
    const bool rejoined = before != removed->end() && before->second.uid != uid;
    round.status().nodes.push_back(
        {.name = name, .uid = uid, .reason = rejoined ? "NodeRejoined" : ""});
  }
  round.status().start_time = round.now;
  round.pass(condition::kAccepted, "Accepted",
             "spec.nodeSelector matches " + count_of(matches->size(), "node") +
                 "; nodes that match later are not removed");
  if (round.spec().dry_run) {
    return round.succeed("Planned", describe_plan(round.status().nodes));
  }
  round.requeue_after(0ms);
  return round.wait("Accepted", "About to remove " + count_of(matches->size(), "node"));
}

/// What has become of the children, as far as their objects show.
void take_over(Round& round, const Children& children) {
  crd::PodCounts pods;
  bool any_pods = false;
  for (auto& node : round.status().nodes) {
    const auto found = children.find(node.name);
    if (found == children.end()) {
      const bool had_one = !node.reason.empty() && node.reason != kStarting && !has_ended(node);
      if (had_one) node.reason = "Cancelled";  // somebody deleted it
      continue;
    }
    const auto& child = *found->second;
    node.reason = child.reason.empty() ? kStarted : child.reason;
    if (!child.pods) continue;
    any_pods = true;
    pods.total += child.pods->total;
    pods.evicted += child.pods->evicted;
    pods.terminating += child.pods->terminating;
    pods.blocked += child.pods->blocked;
    pods.remaining += child.pods->remaining;
    pods.skipped += child.pods->skipped;
  }
  // A child that is gone takes its numbers along.
  const auto before = round.status().pods.value_or(crd::PodCounts{});
  if (any_pods && pods.total >= before.total) round.status().pods = pods;
}

/// The parent takes back only a suspension of its own, and fencing goes down only as true: both can
/// be said of one node alone.
void hand_down(Round& round) {
  const auto& spec = round.spec();
  for (const auto& child : round.seen.children) {
    const bool by_itself = child.suspend && !child.suspended_by_parent;
    const bool by_parent = (spec.suspend || round.removal().spec_changed) && !by_itself;
    const bool suspend = by_itself || by_parent;
    const bool fenced = child.fenced || spec.unreachable.fenced;
    const bool as_wanted = child.suspend == suspend && child.fenced == fenced &&
                           child.suspended_by_parent == by_parent;
    if (child.terminal || as_wanted) continue;
    round.decision.actions.emplace_back(
        SteerChild{child.name, child.resource_version, suspend, by_parent, fenced});
  }
}

void start_children(Round& round, const Children& children) {
  auto& nodes = round.status().nodes;
  const auto limit = round.spec()
                         .max_concurrent.value_or(crd::MaxConcurrent{})
                         .of(static_cast<std::int64_t>(nodes.size()));
  auto under_way = std::ranges::count_if(nodes, [](const crd::SelectedNode& node) {
    return !node.reason.empty() && !has_ended(node);
  });
  for (auto& node : nodes) {
    if (node.reason.empty() && under_way < limit && !round.spec().suspend) {
      node.reason = kStarting;
      ++under_way;
    }
    if (node.reason == kStarting && !children.contains(node.name) && !round.spec().suspend) {
      round.decision.actions.emplace_back(
          CreateChild{child_name(round.removal().meta.name, node.name), node.name, node.uid});
    }
  }
}

Step end_when_all_have_ended(Round& round) {
  const auto& nodes = round.status().nodes;
  if (!std::ranges::all_of(nodes, has_ended)) return Step::Next;
  std::vector<std::string> failed;
  for (const auto& node : nodes) {
    if (is_one_of(node.reason, kBadEnds)) failed.push_back(node.name + " (" + node.reason + ")");
  }
  if (!failed.empty()) {
    return round.fail("PartiallyFailed", std::to_string(failed.size()) + " of " +
                                             count_of(nodes.size(), "node") +
                                             " could not be removed: " + name_some(failed) +
                                             ". See their own NodeRemovals. A node that has "
                                             "joined again (NodeRejoined) needs one with nodeName "
                                             "and nodeUID.");
  }
  const bool deleted = round.spec().delete_node;
  return round.succeed(deleted ? "NodeRemoved" : "Drained",
                       "All " + count_of(nodes.size(), "node") +
                           (deleted ? " are removed."
                                    : " are drained and stay cordoned; spec.deleteNode is false."));
}

void report(Round& round) {
  const auto& nodes = round.status().nodes;
  const auto ended = std::ranges::count_if(nodes, has_ended);
  std::vector<std::string> under_way;
  for (const auto& node : nodes) {
    if (!node.reason.empty() && !has_ended(node)) {
      under_way.push_back(node.name + " (" + node.reason + ")");
    }
  }
  const auto message =
      std::to_string(ended) + " of " + count_of(nodes.size(), "node") +
      " done; under way: " + (under_way.empty() ? std::string{"none"} : name_some(under_way));
  if (round.spec().suspend) {
    round.wait("Suspended", "spec.suspend is true, for the nodes under way as well. " + message +
                                ". Set it to false to go on.");
  } else {
    round.wait("RemovingNodes", message);
  }
}

}  // namespace

std::string child_name(const std::string& parent, const std::string& node) {
  constexpr std::size_t kMaxName = 253;
  auto name = parent + "-" + node;
  if (name.size() <= kMaxName) return name;
  const auto suffix = "-" + crd::hash_of(name);
  name.resize(kMaxName - suffix.size());
  name.erase(name.find_last_not_of("-.") + 1);  // no label of a name ends with either
  return name + suffix;
}

void hold_selected_nodes(Round& round) { hand_down(round); }

void remove_selected_nodes(Round& round) {
  if (accept_nodes(round) == Step::Wait) return;
  const auto children = children_of(round);
  take_over(round, children);
  if (end_when_all_have_ended(round) == Step::Wait) return;
  hand_down(round);
  start_children(round, children);
  report(round);
}

}  // namespace reconcilers
