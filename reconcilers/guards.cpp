#include "reconcilers/guards.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/system/error_code.hpp>

#include "crd/json.hpp"
#include "reconcilers/messages.hpp"
#include "reconcilers/taints.hpp"

namespace reconcilers {
namespace {

/// True when another removal takes this node away. One that has not begun may wait for ever.
bool is_leaving(const NodeSummary& node, const std::vector<OtherRemoval>& others) {
  return std::ranges::any_of(others, [&](const OtherRemoval& other) {
    return other.accepted && other.node_name == node.name;
  });
}

}  // namespace

std::optional<GuardRefusal> refuse_last_schedulable(const crd::Node& node,
                                                    const std::vector<NodeSummary>& census,
                                                    const std::vector<OtherRemoval>& others) {
  if (!node.is_ready()) return std::nullopt;  // its pods do not run here any more
  const bool another = std::ranges::any_of(census, [&](const NodeSummary& other) {
    return other.uid != node.meta.uid && other.ready && !other.unschedulable &&
           !is_leaving(other, others);
  });
  if (another) return std::nullopt;
  std::vector<std::string> leaving;
  for (const auto& other : others) {
    if (other.accepted) leaving.push_back(other.node_name + " by " + other.name);
  }
  const auto also = leaving.empty() ? "" : " (being removed as well: " + name_some(leaving) + ")";
  const auto cancel = leaving.empty() ? "" : ", or cancel another removal";
  return GuardRefusal{"LastSchedulableNode",
                      "Node " + node.meta.name + " is the last one that is Ready and schedulable" +
                          also + ", so its pods could run nowhere. Add or uncordon another node" +
                          cancel + "; the removal then goes on by itself."};
}

std::optional<GuardRefusal> refuse_control_plane(const crd::NodeRemovalSpec& spec,
                                                 const crd::Node& node,
                                                 const std::vector<NodeSummary>& census,
                                                 const std::vector<OtherRemoval>& others) {
  if (!node.is_control_plane()) return std::nullopt;
  if (!spec.allow_control_plane) {
    return GuardRefusal{
        "ControlPlaneNode",
        "Node " + node.meta.name +
            " is a control-plane node. If it really must go, create the NodeRemoval again with "
            "spec.allowControlPlane: true (and remove its etcd member yourself).",
        true};
  }
  const auto counts = [&](const NodeSummary& other) {
    return other.uid != node.meta.uid && other.control_plane && other.ready;
  };
  const auto stays = [&](const NodeSummary& other) {
    return counts(other) && !is_leaving(other, others);
  };
  if (std::ranges::any_of(census, stays)) return std::nullopt;
  if (std::ranges::any_of(census, counts)) {
    return GuardRefusal{"LastControlPlaneNode",
                        "The other control-plane nodes are being removed, so Node " +
                            node.meta.name +
                            " would be the last one. This removal goes on when "
                            "one of those is cancelled or another control-plane node has joined."};
  }
  return GuardRefusal{
      "LastControlPlaneNode",
      "Node " + node.meta.name +
          " is the last control-plane node that is Ready. It is never removed: without it there is "
          "no cluster.",
      true};
}

std::optional<GuardRefusal> refuse_to_begin(const crd::NodeRemovalSpec& spec, const crd::Node& node,
                                            const std::vector<NodeSummary>& census,
                                            const std::vector<OtherRemoval>& others) {
  if (auto refusal = refuse_control_plane(spec, node, census, others)) return refusal;
  if (node.meta.annotations.contains(std::string{crd::kProtectAnnotation})) {
    return GuardRefusal{"NodeProtected",
                        "Node " + node.meta.name + " is protected by the annotation " +
                            std::string{crd::kProtectAnnotation} +
                            ". Remove it to go on: kubectl annotate node " + node.meta.name + " " +
                            std::string{crd::kProtectAnnotation} + "-"};
  }
  return refuse_last_schedulable(node, census, others);
}

std::optional<GuardRefusal> refuse_over_budget(const std::vector<OtherRemoval>& others,
                                               const Policy& policy) {
  if (policy.max_concurrent_removals <= 0) return std::nullopt;
  std::vector<std::string> before;
  for (const auto& other : others) {
    if (other.accepted || (other.older && other.waits_for_budget)) before.push_back(other.name);
  }
  if (static_cast<long>(before.size()) < policy.max_concurrent_removals) return std::nullopt;
  return GuardRefusal{
      "BudgetUsedUp",
      "At most " + count_of(static_cast<std::size_t>(policy.max_concurrent_removals), "removal") +
          " may be under way at the same time (--max-concurrent-removals). This one waits for " +
          name_some(before) + "."};
}

std::optional<GuardRefusal> refuse_rejoined(const crd::NodeRemovalSpec& spec, const crd::Node& node,
                                            const std::map<std::string, RemovedNode>& removed) {
  const auto found = removed.find(node.meta.name);
  if (!spec.node_uid.empty() || found == removed.end() || found->second.uid == node.meta.uid) {
    return std::nullopt;
  }
  return GuardRefusal{
      "NodeRejoined",
      "Node " + node.meta.name + " has joined again after NodeRemoval " + found->second.removal +
          " removed its predecessor at " + found->second.time +
          ", and this NodeRemoval does not say which of them it means. If this one is to go too, "
          "create the NodeRemoval again with spec.nodeUID: " +
          node.meta.uid};
}

std::optional<std::string> brake(const std::vector<NodeSummary>& census, const Policy& policy) {
  // One whose kubelet we had stopped ourselves says nothing about the network.
  const auto counts = [](const NodeSummary& node) { return node.ready || !node.being_cleaned; };
  const auto total = static_cast<long>(std::ranges::count_if(census, counts));
  const auto ready = static_cast<long>(std::ranges::count_if(census, &NodeSummary::ready));
  const auto not_ready = total - ready;
  // At exactly the limit the brake holds: the node-lifecycle controller brakes at 55 % NotReady or
  // more.
  if (not_ready < policy.brake_min_nodes || ready * 100 > total * policy.min_healthy_percent) {
    return std::nullopt;
  }
  return std::to_string(not_ready) + " of " + std::to_string(total) +
         " nodes are NotReady, which looks like a network or control-plane fault. Nothing is "
         "forced and no Node is "
         "deleted until more than " +
         std::to_string(policy.min_healthy_percent) + " % of the nodes are Ready again.";
}

crd::TimePoint dead_at(const crd::Evidence& evidence, const crd::Node& node,
                       const crd::NodeRemovalSpec& spec, crd::WallTime time) {
  const auto since = std::max({node.ready_transition_time.value_or(evidence.observed_since),
                               evidence.observed_since, time.even_since});
  return since + std::chrono::seconds{spec.unreachable.tolerance_seconds};
}

crd::TimePoint settled_at(crd::TimePoint cordoned, const Policy& policy, crd::WallTime time) {
  // Times in status are cut to whole seconds, so a full second is added.
  return std::max(cordoned, time.even_since) + policy.settle + std::chrono::seconds{1};
}

std::string fenced_by(const crd::NodeRemovalSpec& spec, const crd::Node& node) {
  if (spec.unreachable.fenced) return "spec.unreachable.fenced";
  return taints::has_foreign_out_of_service(node) ? std::string{crd::kOutOfServiceTaint} : "";
}

std::optional<Claim> read_claim(const crd::Node& node) {
  const auto found = node.meta.annotations.find(std::string{crd::kClaimAnnotation});
  if (found == node.meta.annotations.end()) return std::nullopt;
  boost::system::error_code error;
  const auto value = boost::json::parse(found->second, error);
  if (error || !value.is_object())
    return Claim{.removal = found->second, .uid = {}, .was_unschedulable = true};
  return Claim{.removal = crd::json::string_at(value.get_object(), "removal"),
               .uid = crd::json::string_at(value.get_object(), "uid"),
               .was_unschedulable = crd::json::bool_at(value.get_object(), "wasUnschedulable")};
}

std::optional<std::string> held_by_other(const crd::Node& node, const std::string& own_uid,
                                         const std::vector<OtherRemoval>& others) {
  const auto claim = read_claim(node);
  if (!claim || claim->uid == own_uid) return std::nullopt;
  const auto holder = std::ranges::find(others, claim->uid, &OtherRemoval::uid);
  if (holder == others.end()) return std::nullopt;
  return holder->name;
}

}  // namespace reconcilers
