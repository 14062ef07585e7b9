#include "reconcilers/node_removal_reconciler.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

#include "controller/log.hpp"
#include "reconcilers/classify.hpp"
#include "reconcilers/decide.hpp"
#include "reconcilers/events.hpp"
#include "reconcilers/hand_over_pod.hpp"
#include "reconcilers/removed_nodes_record.hpp"
#include "reconcilers/resources.hpp"
#include "reconcilers/status_write.hpp"

namespace reconcilers {
namespace {

using controller::ErrorKind;
using controller::log;
using controller::LogLevel;
using controller::ReconcileResult;
using namespace std::chrono_literals;

/// Rounds of one reconcile that follow each other without a wait; a removal needs about eight from
/// start to end.
constexpr int kMaxRounds = 30;
/// Numbers and texts in status are written at most this often; news at once.
constexpr std::chrono::milliseconds kStatusInterval{1000};

std::vector<std::string> names_of(const std::vector<crd::Pod>& pods) {
  std::vector<std::string> names;
  names.reserve(pods.size());
  for (const auto& pod : pods) names.push_back(pod.full_name());
  return names;
}

/// Those that a drain would tell to leave.
std::vector<crd::Pod> pods_to_evict(const std::vector<crd::Pod>& pods,
                                    const crd::DrainSpec& drain) {
  std::vector<crd::Pod> result;
  std::ranges::copy_if(pods, std::back_inserter(result), [&](const crd::Pod& pod) {
    return !pod.is_terminating() &&
           classify(pod, drain, std::nullopt).pod_class == PodClass::Leaves;
  });
  return result;
}

/// What these do to other removals, or to the existence of this one, only the watch tells.
bool is_about_removals(const Action& action) {
  return std::holds_alternative<CreateChild>(action) ||
         std::holds_alternative<SteerChild>(action) ||
         std::holds_alternative<DeleteRemoval>(action);
}

std::expected<int, std::string> as_fact(controller::Result<int> answer) {
  if (answer) return *answer;
  return std::unexpected(answer.error().message);
}

}  // namespace

std::vector<std::string> keys_of(const crd::NodeRemoval& removal) {
  std::vector<std::string> keys{removal.meta.name};
  const auto* owner = removal.meta.controller();
  if (owner != nullptr && owner->kind == crd::kKind) keys.push_back(owner->name);
  return keys;
}

NodeRemovalReconciler::NodeRemovalReconciler(Dependencies dependencies)
    : deps_(std::move(dependencies)),
      census_(deps_.client),
      events_({.executor = deps_.executor,
               .client = deps_.client,
               .tasks = deps_.tasks,
               .metrics = deps_.metrics,
               .instance = deps_.policy.own_pod.empty() ? "noderemoval" : deps_.policy.own_pod}) {}

void NodeRemovalReconciler::forget_writes_before_last_list() {
  if (std::exchange(lists_, deps_.removals.lists()) == deps_.removals.lists()) return;
  for (const auto& [name, session] : sessions_) session->latest.reset();
}

std::optional<crd::NodeRemoval> NodeRemovalReconciler::newest(const std::string& name) {
  forget_writes_before_last_list();
  const auto* stored = deps_.removals.find(name);
  if (stored == nullptr) return std::nullopt;
  const auto session = sessions_.find(name);
  if (session == sessions_.end()) return *stored;
  if (session->second->removal_uid !=
      stored->meta.uid) {  // deleted and created again under the same name
    end_session(name);
    return *stored;
  }
  const auto& removal = after_writes(*stored, *session->second);
  deps_.metrics.count(session->second->progress->go_on(removal));
  return removal;
}

awaitable<ReconcileResult> NodeRemovalReconciler::reconcile(std::string name) {
  for (int round = 0; round < kMaxRounds; ++round) {
    const auto removal = newest(name);
    const bool finished = removal && removal->status.is_terminal() && !removal->has_finalizer() &&
                          removal->status.observed_generation == removal->meta.generation &&
                          !removal->expires_at();
    const bool nothing_to_undo =
        removal && removal->is_being_deleted() && !removal->has_finalizer();
    if (!removal || finished || nothing_to_undo) {
      // Until the watch shows the end as well, the session keeps us from taking the removal up
      // again.
      const auto* stored = deps_.removals.find(name);
      if (!removal || !crd::is_newer(removal->meta, stored->meta)) end_session(name);
      co_return ReconcileResult::await_change();
    }
    auto& session = sessions_[name];
    if (!session) session = begin_session(*removal);

    Observation seen;
    auto decision = co_await observe_and_decide(*removal, *session, seen);
    const auto written = co_await write_status(*removal, decision.status, *session);
    if (written == Write::Conflict) continue;
    if (written == Write::Failed) co_return ReconcileResult::failed();
    const bool became_terminal = !removal->status.is_terminal() && decision.status.is_terminal();
    if (decision.actions.empty() && !became_terminal) {
      if (written == Write::Postponed) {
        decision.requeue = std::min<std::chrono::milliseconds>(
            decision.requeue.value_or(kStatusInterval), kStatusInterval);
      }
      co_return decision.requeue ? ReconcileResult::requeue_after(*decision.requeue)
                                 : ReconcileResult::await_change();
    }
    if (decision.actions.empty()) continue;
    std::vector<Action> done;
    ActContext context{.client = deps_.client,
                       .census = census_,
                       .session = *session,
                       .policy = deps_.policy,
                       .removal = after_writes(*removal, *session),
                       .others = others_than(*removal),
                       .time = deps_.clock(),
                       .done = &done,
                       .metrics = &deps_.metrics};
    const bool shows_in_watch = std::ranges::any_of(decision.actions, is_about_removals);
    const auto outcome = co_await act(std::move(context), std::move(decision.actions));
    session->pods_told.add(done);
    const auto* node = known(seen.node);
    record(after_writes(*removal, *session),
           events_of(*removal, done, node == nullptr ? std::nullopt : *node), *session);
    if (outcome == ActOutcome::Failed) co_return ReconcileResult::failed();
    if (shows_in_watch) co_return ReconcileResult::requeue_after(1s);
    const bool refused = !session->gate_refusal.empty();
    if (outcome == ActOutcome::Changed && (refused || round > 3)) {
      co_return ReconcileResult::requeue_after(decision.requeue.value_or(1s));
    }
  }
  co_return ReconcileResult::requeue_after(1s);
}

std::vector<OtherRemoval> NodeRemovalReconciler::others_than(
    const crd::NodeRemoval& removal) const {
  const auto age = [](const crd::NodeRemoval& r) {
    return std::tie(r.meta.creation_timestamp, r.meta.uid);
  };
  std::vector<OtherRemoval> others;
  for (const auto& [name, stored] : deps_.removals.items()) {
    const auto session = sessions_.find(name);
    const bool known = session != sessions_.end();
    const auto& other = known ? after_writes(stored, *session->second) : stored;
    if (other.meta.uid == removal.meta.uid || other.status.is_terminal()) continue;
    if (other.is_group()) continue;  // its children count
    const auto* accepted = other.status.conditions.find(crd::condition::kAccepted);
    others.push_back({.name = name,
                      .uid = other.meta.uid,
                      .node_name = other.spec.node_name,
                      .older = age(other) < age(removal),
                      .accepted = other.status.conditions.is_true(crd::condition::kAccepted) ||
                                  (known && session->second->accepting),
                      .waits_for_budget = accepted != nullptr &&
                                          accepted->reason == "BudgetUsedUp" &&
                                          !other.spec.suspend && !other.spec_changed});
  }
  return others;
}

std::vector<Child> NodeRemovalReconciler::children_of(const crd::NodeRemoval& removal) const {
  std::vector<Child> children;
  if (!removal.is_group()) return children;
  for (const auto& [name, child] : deps_.removals.items()) {
    const auto* owner = child.meta.controller();
    if (owner == nullptr || owner->uid != removal.meta.uid) continue;
    const auto* summary = child.status.conditions.find(crd::condition::kSucceeded);
    children.push_back({.name = name,
                        .resource_version = child.meta.resource_version,
                        .node_name = child.spec.node_name,
                        .reason = summary == nullptr ? "" : summary->reason,
                        .terminal = child.status.is_terminal(),
                        .suspend = child.spec.suspend,
                        .suspended_by_parent = child.meta.annotations.contains(
                            std::string{crd::kSuspendedByParentAnnotation}),
                        .fenced = child.spec.unreachable.fenced,
                        .pods = child.status.pods});
  }
  return children;
}

awaitable<Decision> NodeRemovalReconciler::observe_and_decide(const crd::NodeRemoval& removal,
                                                              Session& session, Observation& seen) {
  seen.removal = removal;
  seen.gate_refusal = session.gate_refusal;
  seen.action_error = session.action_error;
  for (;;) {
    seen.others = others_than(removal);
    seen.children = children_of(removal);
    seen.refusals = session.refusals;
    seen.accepted = session.accepted;
    seen.cleared = session.cleared;
    auto decision = decide(seen, deps_.policy, deps_.clock());
    if (decision.needs.empty()) {
      session.accepting = decision.status.conditions.is_true(crd::condition::kAccepted);
      co_return decision;
    }
    for (const auto fact : decision.needs) co_await learn(fact, seen, session);
  }
}

awaitable<void> NodeRemovalReconciler::learn(FactName fact, Observation& seen, Session& session) {
  const auto& node = seen.removal.spec.node_name;
  switch (fact) {
    case FactName::Node:
      co_await learn_node(seen, session);
      break;
    case FactName::FreshNode:
      co_await learn_fresh_node(seen, session);
      break;
    case FactName::Pods:
      co_await learn_pods(seen, session);
      break;
    case FactName::Census:
      // A removal begins only on a fresh look; later the brake alone uses it, and the gate looks
      // again.
      seen.census = co_await census_.get(
          seen.removal.status.conditions.is_true(crd::condition::kAccepted) ? 10s : 0s);
      break;
    case FactName::Workloads:
      seen.workloads =
          co_await read_workloads(deps_.client, session, node, seen.removal.status.workloads);
      break;
    case FactName::Attachments:
      seen.attachments = co_await read_attachments(deps_.client, node);
      break;
    case FactName::Claims:
      seen.claims = co_await read_claims(deps_.client, session, *known(seen.pods));
      break;
    case FactName::Trials:
      seen.trials = co_await try_evictions(
          deps_.client, pods_to_evict(*known(seen.pods), seen.removal.spec.drain),
          deps_.clock().now);
      break;
    case FactName::ServerMinor:
      seen.server_minor = as_fact(co_await deps_.client.server_minor());
      break;
    case FactName::HandOverPod:
      seen.hand_over_pod = co_await read_hand_over_pod(
          deps_.client, deps_.policy.host_cleanup_namespace, hand_over_pod_name(seen.removal));
      break;
    case FactName::RemovedNodes:
      co_await learn_removed_nodes(seen, session);
      break;
    case FactName::Matches:
      seen.matches =
          co_await read_matches(deps_.client, seen.removal.spec.node_selector.value().query());
      break;
    case FactName::Leftovers:
      co_await learn_pods(seen, session);
      if (const auto* pods = known(seen.pods)) {
        seen.leftovers = co_await read_leftovers(deps_.client, node, seen.removal.status.node_uid,
                                                 names_of(*pods));
      } else {
        seen.leftovers = std::unexpected(seen.pods->error());
      }
      break;
  }
}

awaitable<void> NodeRemovalReconciler::learn_node(Observation& seen, Session& session) {
  const auto& name = seen.removal.spec.node_name;
  forget_node_before_last_list(session);
  const auto* watched =
      session.view && session.view->nodes.synced() ? session.view->nodes.find(name) : nullptr;
  // A watch that is behind may show it for long.
  if (watched != nullptr && watched->meta.uid == session.gone_node_uid) watched = nullptr;
  if (watched == nullptr) {
    // A node that the watch does not show may still exist: only the API server's own 404 says that
    // it does not.
    co_await learn_fresh_node(seen, session);
    co_return;
  }
  const bool ours_is_newer = session.latest_node &&
                             session.latest_node->meta.uid == watched->meta.uid &&
                             crd::is_newer(session.latest_node->meta, watched->meta);
  seen.node = std::optional{ours_is_newer ? *session.latest_node : *watched};
}

awaitable<void> NodeRemovalReconciler::learn_fresh_node(Observation& seen, Session& session) {
  auto node = co_await read_node(deps_.client, seen.removal.spec.node_name);
  if (node && *node) session.latest_node = **node;
  seen.node = std::move(node);
  seen.node_is_fresh = true;
}

awaitable<void> NodeRemovalReconciler::learn_removed_nodes(Observation& seen, Session& session) {
  // Whoever waits because of an entry goes on when it is taken out.
  const bool begun = seen.removal.status.conditions.is_true(crd::condition::kAccepted);
  if (begun && session.removed_nodes_known) {
    seen.removed_nodes = session.removed_nodes;
    co_return;
  }
  seen.removed_nodes = co_await removed_nodes::read(deps_.client, deps_.policy.own_namespace);
  const auto* known_nodes = known(seen.removed_nodes);
  if (known_nodes == nullptr) co_return;
  session.removed_nodes = *known_nodes;
  session.removed_nodes_known = true;
}

awaitable<void> NodeRemovalReconciler::learn_pods(Observation& seen, Session& session) {
  const auto& node = seen.removal.spec.node_name;
  if (!session.view) {
    session.view =
        start_node_view(deps_.executor, deps_.client, deps_.tasks, node,
                        [this, name = seen.removal.meta.name] { deps_.queue.add(name); });
  }
  const auto view = session.view;
  if (!co_await view->pods.wait_synced(10s)) {
    seen.pods = std::unexpected("the pods of node " + node + " could not be listed yet");
    co_return;
  }
  auto pods = view->pods_of(node);
  forget_gone_pods(session, pods);
  seen.pods = std::move(pods);
}

void NodeRemovalReconciler::end_session(const std::string& name) {
  const auto found = sessions_.find(name);
  if (found == sessions_.end()) return;
  deps_.metrics.count(found->second->progress->cancelled(deps_.clock().now));
  if (const auto& view = found->second->view) view->stop();
  sessions_.erase(found);
}

void NodeRemovalReconciler::record(const crd::NodeRemoval& removal,
                                   const std::vector<EventNote>& events, Session& session) {
  const auto& status = removal.status;
  const bool pods_are_settled = status.is_terminal() || removal.is_being_deleted() ||
                                status.conditions.is_true(crd::condition::kDrained) ||
                                status.conditions.is_true(crd::condition::kTerminatingPodsCleared);
  auto all = session.pods_told.take(std::chrono::steady_clock::now(), pods_are_settled);
  all.insert(all.end(), events.begin(), events.end());
  events_.record(removal, all, session.event_limiter, deps_.clock().now);
}

awaitable<NodeRemovalReconciler::Write> NodeRemovalReconciler::write_status(
    const crd::NodeRemoval& removal, const crd::NodeRemovalStatus& status, Session& session) {
  auto changes = crd::status_merge_patch(removal.status, status);
  if (changes.empty()) co_return Write::Done;
  const auto now = std::chrono::steady_clock::now();
  if (!is_news(removal.status, status) && now - session.last_status_write < kStatusInterval)
    co_return Write::Postponed;
  session.last_status_write = now;
  controller::ObjectRef ref{resources::kNodeRemovals, {}, removal.meta.name};
  boost::json::object patch{
      {"metadata", boost::json::object{{"resourceVersion", removal.meta.resource_version}}},
      {"status", std::move(changes)}};
  const auto answer = co_await deps_.client.patch(ref, "status", std::move(patch));
  if (answer) {
    session.latest = crd::node_removal_from_json(*answer);
    record(*session.latest, events_between(removal, status), session);
    const auto* summary = status.conditions.find(crd::condition::kSucceeded);
    if (summary != nullptr && is_news(removal.status, status)) {
      log(LogLevel::Info, "status",
          {{"removal", removal.meta.name},
           {"reason", summary->reason},
           {"message", summary->message}});
    }
    co_return Write::Done;
  }
  if (answer.error().kind == ErrorKind::Conflict || answer.error().kind == ErrorKind::NotFound) {
    const auto fresh = co_await deps_.client.get(ref);
    if (fresh) session.latest = crd::node_removal_from_json(*fresh);
    // Nothing newer than what we have: only the watch can tell more.
    const bool told_more = fresh && crd::is_newer(session.latest->meta, removal.meta);
    co_return told_more ? Write::Conflict : Write::Failed;
  }
  log(LogLevel::Warning, "status not written",
      {{"removal", removal.meta.name}, {"error", answer.error().message}});
  co_return Write::Failed;
}

}  // namespace reconcilers
