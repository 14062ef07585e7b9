#include "test/unit/reconcilers/world.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <utility>

#include "crd/json.hpp"
#include "reconcilers/classify.hpp"
#include "reconcilers/decide.hpp"
#include "reconcilers/gate.hpp"
#include "reconcilers/guards.hpp"
#include "reconcilers/hand_over_pod.hpp"
#include "reconcilers/host_cleanup.hpp"
#include "reconcilers/reasons.hpp"
#include "test/fake/crd_schema.hpp"
#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

constexpr int kManyRounds = 60;

template <typename T, typename U>
void fill(Fact<T>& fact, bool readable, U&& value) {
  if (readable) {
    fact = std::forward<U>(value);
  } else {
    fact = std::unexpected("the server is out for lunch");
  }
}

/// The metrics have to know every reason beforehand.
void expect_foreseen(const crd::NodeRemovalStatus& status) {
  if (const auto* summary = status.conditions.find(condition::kSucceeded)) {
    const auto foreseen = [&](const auto& reasons) {
      return std::ranges::find(reasons, summary->reason) != reasons.end();
    };
    EXPECT_TRUE(summary->status == crd::ConditionStatus::True    ? foreseen(reasons::kSucceeded)
                : summary->status == crd::ConditionStatus::False ? foreseen(reasons::kFailed)
                                                                 : foreseen(reasons::kWaiting))
        << "reasons.hpp lacks " << summary->reason;
  }
  for (const auto& blocker : status.blockers) {
    EXPECT_THAT(reasons::kBlockers, testing::Contains(blocker.reason)) << "reasons.hpp lacks it";
  }
}

}  // namespace

World::World() : now(kNow), node(make_node()), removal(make_removal()) {
  auto census = make_census();
  other_nodes = {census[1], census[2]};
  policy.host_cleanup_namespace = "noderemoval-host";
  policy.host_cleanup_image = "noderemoval:1";
}

void World::add_pod(crd::Pod pod) {
  for (const auto& owner : pod.meta.owner_references) {
    if (owner.kind != "ReplicaSet" && owner.kind != "StatefulSet") continue;
    ++workloads.try_emplace(owner.uid).first->second.desired;
  }
  pods.push_back(std::move(pod));
  std::ranges::sort(pods, {}, &crd::Pod::full_name);
}

void World::kill_kubelet() {
  stop_kubelet(*node, now);
  node->meta.resource_version = std::to_string(++version_);
}

void World::revive_kubelet() {
  node->ready = crd::ConditionStatus::True;
  node->ready_transition_time = now;
  node->ready_reason = "KubeletReady";
  node->ready_message.clear();
  node->meta.resource_version = std::to_string(++version_);
}

void World::set_unschedulable(bool unschedulable) {
  node->unschedulable = unschedulable;
  node->meta.resource_version = std::to_string(++version_);
}

void World::replace_node() {
  node = make_node();
  node->meta.uid = "replacement-" + std::to_string(++replacements_);
  node->meta.resource_version = std::to_string(++version_);
}

void World::cancel() {
  removal->meta.deletion_timestamp = now;
  if (removal->meta.finalizers.empty()) removal.reset();
}

void World::edit(const std::function<void(crd::NodeRemovalSpec&)>& change) {
  change(removal->spec);
  ++removal->meta.generation;
}

void World::restart_operator() {
  refusals_.clear();
  accepted_.clear();
  cleared_.clear();
  action_error_.clear();
  gate_refusal_.clear();
}

std::vector<NodeSummary> World::census() const {
  auto nodes = other_nodes;
  if (node) {
    nodes.push_back({.name = node->meta.name,
                     .uid = node->meta.uid,
                     .ready = node->is_ready(),
                     .unschedulable = node->unschedulable,
                     .control_plane = node->is_control_plane(),
                     .being_cleaned = host_cleanup_was_started(*node, std::string{kRemovalUid})});
  }
  return nodes;
}

Observation World::ask_nothing() const {
  Observation seen;
  seen.removal = *removal;
  seen.others = other_removals;
  seen.refusals = refusals_;
  seen.accepted = accepted_;
  seen.cleared = cleared_;
  seen.action_error = action_error_;
  seen.gate_refusal = gate_refusal_;
  return seen;
}

void World::answer(FactName fact, Observation& seen) const {
  const bool readable = !unreadable.contains(fact);
  switch (fact) {
    case FactName::Node:
      return fill(seen.node, readable, node);
    case FactName::FreshNode:
      seen.node_is_fresh = true;
      return fill(seen.node, readable, node);
    case FactName::Pods:
      return fill(seen.pods, readable, pods);
    case FactName::Census:
      return fill(seen.census, readable, census());
    case FactName::Workloads:
      return fill(seen.workloads, readable, workloads);
    case FactName::Attachments:
      return fill(seen.attachments, readable, attachments);
    case FactName::Claims:
      return fill(seen.claims, readable, claims);
    case FactName::Trials:
      return fill(seen.trials, readable, trials);
    case FactName::ServerMinor:
      return fill(seen.server_minor, readable, server_minor);
    case FactName::HandOverPod:
      return fill(seen.hand_over_pod, readable, hand_over_pod);
    case FactName::RemovedNodes:
      return fill(seen.removed_nodes, readable, removed_nodes);
    case FactName::Matches:
      return fill(seen.matches, readable, std::vector<NodeMatch>{});
    case FactName::Leftovers: {
      Leftovers left{.pods = {}, .attachments = attachments, .lease = lease, .csi_node = csi_node};
      for (const auto& pod : pods) left.pods.push_back(pod.full_name());
      return fill(seen.leftovers, readable, std::move(left));
    }
  }
}

Decision World::decide_now() const {
  auto seen = ask_nothing();
  for (int questions = 0; questions < 10; ++questions) {
    auto decision = decide(seen, policy, now);
    if (decision.needs.empty()) return decision;
    EXPECT_THAT(actions_of(decision), testing::IsEmpty()) << "acts before it knows what it needs";
    for (const auto fact : decision.needs) answer(fact, seen);
  }
  ADD_FAILURE() << "asks for ever";
  return {};
}

/// Once its status is written, the same decision is made again, and there is nothing more to write.
void World::check_settled(const Decision& decision) const {
  const auto again = decide_now();
  EXPECT_EQ(boost::json::serialize(crd::status_merge_patch(status(), again.status)), "{}")
      << "writes again what it has written:\n"
      << testing::PrintToString(decision);
  if (!status().is_terminal()) {
    EXPECT_EQ(actions_of(again), actions_of(decision)) << testing::PrintToString(again);
  }
}

bool World::write_status(const crd::NodeRemovalStatus& after) {
  const auto json = crd::to_json(after);
  EXPECT_THAT(fake::schema_problems("status", json), testing::IsEmpty()) << "the server refuses it";
  expect_foreseen(after);
  if (!status().node_uid.empty()) {
    EXPECT_EQ(after.node_uid, status().node_uid) << "the UID is bound once";
  }
  if (status().completion_time) {
    EXPECT_EQ(after.completion_time, status().completion_time);
  }
  if (crd::status_merge_patch(status(), after).empty()) return false;
  removal->status = crd::node_removal_from_json({{"status", json}}).status;
  return true;
}

Decision World::round() {
  auto decision = decide_now();
  const bool was_terminal = status().is_terminal();
  const bool wrote = write_status(decision.status);
  check_settled(decision);
  if (was_terminal != status().is_terminal()) {
    EXPECT_THAT(actions_of(decision), testing::IsEmpty()) << "acts in the round it ends in";
  }
  for (const auto& action : decision.actions) {
    if (crash(action)) {
      restart_operator();
      break;
    }
    if (!carry_out(action) || !removal) break;
  }
  if (!wrote && decision.actions.empty()) log.emplace_back();  // nothing happened; run() stops here
  return decision;
}

void World::run() {
  for (int i = 0; i < kManyRounds && removal; ++i) {
    round();
    if (!log.empty() && log.back().empty()) {
      log.pop_back();
      return;
    }
    if (std::ranges::count(log, "refused") > 0) {  // a refused request is not repeated at once
      std::erase(log, "refused");
      return;
    }
  }
  EXPECT_FALSE(removal.has_value())
      << "does not come to rest; last: " << testing::PrintToString(decide_now());
}

bool World::carry_out(const Action& action) {
  if (requests_fail) {
    action_error_ = "connection refused";
    log.emplace_back("refused");
    return false;
  }
  const bool done = std::visit([this](const auto& one) { return act(one); }, action);
  log.push_back(done ? describe(action) : "refused");
  if (done) action_error_.clear();
  return done;
}

bool World::act(const AddFinalizer&) {
  removal->meta.finalizers.emplace_back(crd::kFinalizer);
  return true;
}

bool World::act(const RemoveFinalizer&) {
  std::erase(removal->meta.finalizers, crd::kFinalizer);
  if (removal->is_being_deleted() && removal->meta.finalizers.empty()) removal.reset();
  return true;
}

bool World::act(const Cordon& cordon) {
  EXPECT_EQ(cordon.uid, status().node_uid) << "cordons another node than the one it is bound to";
  if (!node || node->meta.uid != cordon.uid ||
      node->meta.resource_version != cordon.resource_version) {
    return false;
  }
  reconcilers::claim(*node, removal->meta.uid, cordon.was_unschedulable);
  node->unschedulable = true;
  node->taints_json = cordon.taints;
  node->taints.clear();
  for (const auto& taint : cordon.taints) {
    node->taints.push_back({std::string{taint.at("key").as_string()}, "", "NoSchedule"});
  }
  node->meta.resource_version = std::to_string(++version_);
  return true;
}

bool World::act(const SetTaints& action) {
  EXPECT_EQ(action.uid, status().node_uid) << "taints another node than the one it is bound to";
  if (!node || node->meta.uid != action.uid ||
      node->meta.resource_version != action.resource_version) {
    return false;
  }
  const auto text = [](const boost::json::value& taint, std::string_view key) {
    return crd::json::string_at(taint.as_object(), key);
  };
  node->taints_json = action.taints;
  node->taints.clear();
  for (const auto& taint : action.taints) {
    node->taints.push_back({text(taint, "key"), text(taint, "value"), text(taint, "effect")});
  }
  node->meta.resource_version = std::to_string(++version_);
  return true;
}

bool World::act(const Release& release) {
  EXPECT_EQ(release.uid, status().node_uid) << "releases another node than the one it is bound to";
  if (!node || node->meta.uid != release.uid ||
      node->meta.resource_version != release.resource_version) {
    return false;
  }
  node->meta.annotations.erase(std::string{crd::kClaimAnnotation});
  if (release.uncordon) node->unschedulable = false;
  node->taints_json = release.taints;
  std::erase_if(node->taints, [](const auto& taint) { return taint.key == crd::kRemovingTaint; });
  node->meta.resource_version = std::to_string(++version_);
  return true;
}

crd::Pod* World::find_pod(const crd::PodRef& ref) {
  EXPECT_FALSE(ref.uid.empty()) << "a request for a pod without UID";
  const auto found = std::ranges::find(pods, ref, &crd::Pod::ref);
  return found == pods.end() ? nullptr : &*found;
}

bool World::act(const Evict& evict) {
  EXPECT_TRUE(node && node->is_ready()) << "evicts from a node that is not Ready";
  auto* pod = find_pod(evict.pod);
  if (!may_evict(std::string{kRemovalUid}, fresh_view())) return false;
  if (protected_pods.contains(evict.pod.uid)) {
    refusals_[evict.pod.uid] = {.reason = "PodDisruptionBudget",
                                .message = "The disruption budget web needs 3 healthy pods",
                                .pdb = "web",
                                .retry_at = now + 2s};
    return true;
  }
  refusals_.erase(evict.pod.uid);
  accepted_[evict.pod.uid] = now + 5s;
  if (pod != nullptr) *pod = terminating(*pod, now + 30s);
  return true;
}

FreshView World::fresh_view() const {
  return {.removal = *removal, .node = node.value_or(crd::Node{})};
}

bool World::may_act_on_dead_pods(bool at_most_once) const {
  return may_act_on_dead_node(std::string{kRemovalUid}, fresh_view(), census(), at_most_once,
                              policy, now)
      .has_value();
}

bool World::act(const DeletePod& deletion) {
  EXPECT_FALSE(node && node->is_ready()) << "deletes a pod of a Ready node";
  auto* pod = find_pod(deletion.pod);
  if (!may_act_on_dead_pods(deletion.at_most_once)) return false;
  accepted_[deletion.pod.uid] = now + 5s;
  if (pod != nullptr) *pod = terminating(*pod, now + 30s);
  return true;
}

bool World::act(const ClearPod& clear) {
  EXPECT_FALSE(node && node->is_ready()) << "clears a pod of a Ready node";
  auto* pod = find_pod(clear.pod);
  EXPECT_TRUE(pod == nullptr || pod->is_terminating())
      << "clears a pod that nobody has asked to stop";
  if (!may_act_on_dead_pods(clear.at_most_once)) return false;
  cleared_[clear.pod.uid] = now + 5s;
  if (pod == nullptr) return true;
  pod->meta.deletion_grace_period_seconds = 0;
  if (pod->meta.finalizers.empty()) std::erase_if(pods, [&](const auto& p) { return &p == pod; });
  return true;
}

bool World::act(const CreateHandOverPod& create) {
  EXPECT_TRUE(removal->spec.host_cleanup.enabled) << "cleans a machine unasked";
  EXPECT_TRUE(node && node->meta.name == create.pod.at("spec").at("nodeName").as_string());
  if (hand_over_pod) return true;
  auto pod = crd::pod_from_json(create.pod);
  pod.meta.ns = create.ns;
  pod.meta.uid = "hand-over-1";
  hand_over_pod = crd::HandOverPod{
      .uid = pod.meta.uid, .phase = "Pending", .terminating = false, .waiting = {}, .ended = {}};
  pods.push_back(std::move(pod));
  return true;
}

bool World::act(const StartHostCleanup&) {
  EXPECT_TRUE(hand_over_pod && hand_over_pod->phase == "Succeeded") << "nothing was handed over";
  EXPECT_TRUE(attachments.empty() || !removal->spec.volumes.wait_for_detach ||
              word(condition::kVolumesDetached) == "False/TimedOut")
      << "cleans a machine with volumes";
  const auto allowed = may_clean_host(std::string{kRemovalUid}, fresh_view(), pods, census(),
                                      other_removals, policy, now);
  gate_refusal_ = allowed ? "" : allowed.error();
  if (!allowed) return false;
  node->meta.annotations[std::string{crd::kHostCleanupStartAnnotation}] = removal->meta.uid;
  node->meta.resource_version = std::to_string(++version_);
  return true;
}

bool World::act(const DeleteHandOverPod& deletion) {
  EXPECT_EQ(deletion.pod.ns + "/" + deletion.pod.name,
            policy.host_cleanup_namespace + "/" + hand_over_pod_name(*removal));
  if (hand_over_pod && hand_over_pod->uid == deletion.pod.uid) hand_over_pod.reset();
  std::erase_if(pods, [&](const crd::Pod& pod) { return pod.meta.uid == deletion.pod.uid; });
  return true;
}

/// The kubelet runs the pod, and the machine cleans itself once it may.
bool World::let_machine_work() {
  if (!node || !node->is_ready()) return false;
  const bool started = machine_waits_ && host_cleanup_was_started(*node, std::string{kRemovalUid});
  if (started && machine == Machine::Reports) {
    const crd::HostReport report{.uid = std::string{kRemovalUid},
                                 .phase = machine_phase,
                                 .reason = {},
                                 .message = {},
                                 .steps = {{"Kubelet", "Done", "stopped"}}};
    node->meta.annotations[std::string{crd::kHostCleanupReportAnnotation}] =
        boost::json::serialize(crd::to_json(report));
  }
  if (started) {
    kill_kubelet();
    return true;
  }
  if (!hand_over_pod || hand_over_pod->is_finished()) return false;
  machine_waits_ = machine != Machine::Refuses;
  hand_over_pod->phase = machine == Machine::Refuses ? "Failed" : "Succeeded";
  hand_over_pod->ended =
      machine == Machine::Refuses
          ? R"({"uid": "removal-1", "phase": "Failed", "reason": "UnsupportedHost"})"
          : R"({"uid": "removal-1", "phase": "HandedOver"})";
  return true;
}

bool World::act(const RecordRemoval& record) {
  EXPECT_EQ(record.uid, status().node_uid) << "records another node than the one it is bound to";
  removed_nodes[record.node] = {.uid = record.uid, .removal = removal->meta.name, .time = {}};
  return true;
}

bool World::act(const CreateChild&) {
  ADD_FAILURE() << "makes a child without a nodeSelector";
  return true;
}

bool World::act(const SteerChild&) {
  ADD_FAILURE() << "steers a child without a nodeSelector";
  return true;
}

bool World::act(const DeleteRemoval&) {
  EXPECT_TRUE(status().is_terminal()) << "deletes a removal that is not finished";
  removal.reset();
  return true;
}

bool World::act(const DeleteNode&) {
  EXPECT_TRUE(node && removed_nodes[node->meta.name].uid == node->meta.uid)
      << "deletes a node before that is recorded";
  const auto permit = DeleteGate::permit(std::string{kRemovalUid}, fresh_view(), pods, census(),
                                         other_removals, policy, now);
  gate_refusal_ = permit ? "" : permit.error();
  if (!permit) return false;
  EXPECT_FALSE(hand_over_pod && node->is_ready()) << "leaves its own pod on the node";
  EXPECT_EQ(permit->uid(), status().node_uid) << "deletes another node than the one it is bound to";
  node.reset();
  return true;
}

bool World::let_others_work() {
  bool worked = let_machine_work();
  const bool kubelet_runs = node && node->is_ready();
  worked |=
      std::erase_if(pods, [&](const crd::Pod& pod) {
        return pod.meta.finalizers.empty() && (!node || (kubelet_runs && pod.is_terminating()));
      }) > 0;
  for (auto& [uid, progress] : workloads) {
    const auto here = std::ranges::count_if(pods, [&](const crd::Pod& pod) {
      return pod.meta.controller() != nullptr && pod.meta.controller()->uid == uid;
    });
    // A StatefulSet waits until its old pod is gone; a ReplicaSet starts another when it is
    // terminating.
    const auto stays = std::ranges::count_if(pods, [&](const crd::Pod& pod) {
      const auto* owner = pod.meta.controller();
      return owner != nullptr && owner->uid == uid &&
             (!pod.is_terminating() || owner->kind == "StatefulSet");
    });
    const auto ready = progress.desired - (here == 0 ? 0 : stays);
    worked |= std::exchange(progress.ready, ready) != ready;
  }
  const bool volumes_in_use = std::ranges::any_of(pods, [&](const crd::Pod& pod) {
    return classify(pod, removal.value().spec.drain, cordoned_at(status())).pod_class !=
           PodClass::Stays;
  });
  if (!volumes_in_use) worked |= !std::exchange(attachments, {}).empty();
  if (!node) worked |= std::exchange(lease, false) || std::exchange(csi_node, false);
  return worked;
}

void World::run_to_end() {
  for (int i = 0; i < 200; ++i) {
    run();
    const bool at_rest = !removal || (status().is_terminal() && !removal->has_finalizer());
    if (at_rest) return;
    if (let_others_work()) continue;
    const auto requeue = decide_now().requeue;
    ASSERT_TRUE(requeue) << "waits for ever: " << summary() << ": "
                         << message(condition::kSucceeded);
    now += *requeue;
  }
  ADD_FAILURE() << "does not end: " << summary() << ": " << message(condition::kSucceeded);
}

std::string World::summary() const { return word(condition::kSucceeded); }
std::string World::word(std::string_view type) const { return reconcilers::word(status(), type); }
std::string World::message(std::string_view type) const { return message_of(status(), type); }

}  // namespace reconcilers
