#include "reconcilers/act.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <expected>
#include <type_traits>
#include <utility>

#include "controller/log.hpp"
#include "crd/json.hpp"
#include "reconcilers/children.hpp"
#include "reconcilers/gate.hpp"
#include "reconcilers/pod_requests.hpp"
#include "reconcilers/removed_nodes_record.hpp"
#include "reconcilers/resources.hpp"

namespace reconcilers {
namespace {

namespace bj = boost::json;
using controller::awaitable;
using controller::ErrorKind;
using controller::KubeError;
using controller::log;
using controller::LogLevel;
using controller::ObjectRef;

/// How old the list of all nodes may be before something that cannot be undone.
constexpr std::chrono::seconds kCensusMaxAge{2};

bool needs_fencing_for(const Action& action) {
  if (const auto* deletion = std::get_if<DeletePod>(&action)) return deletion->at_most_once;
  if (const auto* clear = std::get_if<ClearPod>(&action)) return clear->at_most_once;
  return false;
}

/// Why something destructive is not done now.
struct Hindrance {
  std::string why;
  bool unreadable = false;  ///< the API server did not tell what has to be known first
};

template <typename T>
using Checked = std::expected<T, Hindrance>;

std::unexpected<Hindrance> refused(std::string why) {
  return std::unexpected(Hindrance{std::move(why)});
}
std::unexpected<Hindrance> unreadable(std::string why) {
  return std::unexpected(Hindrance{std::move(why), true});
}

template <typename T>
Checked<T> as_checked(std::expected<T, std::string> answer) {
  if (!answer) return refused(std::move(answer).error());
  if constexpr (std::is_void_v<T>) {
    return {};
  } else {
    return *std::move(answer);
  }
}

class Actor {
 public:
  explicit Actor(ActContext& context) : context_(context), session_(context.session) {}

  awaitable<ActOutcome> run(const Action& action) {
    if (std::holds_alternative<AddFinalizer>(action)) co_return co_await patch_finalizers(true);
    if (std::holds_alternative<RemoveFinalizer>(action)) co_return co_await patch_finalizers(false);
    if (const auto* cordon = std::get_if<Cordon>(&action)) co_return co_await patch_node(*cordon);
    if (const auto* release = std::get_if<Release>(&action))
      co_return co_await patch_node(*release);
    if (const auto* taints = std::get_if<SetTaints>(&action))
      co_return co_await patch_node(*taints);
    if (std::holds_alternative<StartHostCleanup>(action)) co_return co_await start_host_cleanup();
    if (std::holds_alternative<DeleteNode>(action)) co_return co_await delete_node();
    const auto answer = co_await run_elsewhere(action);
    if (answer) co_return ActOutcome::Done;
    if (is_conflict(answer.error())) co_return ActOutcome::Changed;
    co_return failed(answer.error());
  }

  /// Evict, DeletePod and ClearPod.
  awaitable<ActOutcome> run_for_pods(const std::vector<Action>& actions) {
    const bool dead_node = std::ranges::any_of(
        actions, [](const Action& action) { return !std::holds_alternative<Evict>(action); });
    const bool needs_fencing = std::ranges::any_of(actions, needs_fencing_for);
    const auto allowed =
        dead_node ? co_await check_dead_node(needs_fencing) : co_await check_drain();
    if (!allowed) {
      log(LogLevel::Info, "pods are left alone",
          {{"removal", name()}, {"reason", allowed.error().why}});
      co_return hindered(allowed.error(), actions.size());
    }
    co_await send_for_pods(context_, actions);
    co_return ActOutcome::Done;
  }

 private:
  const std::string& name() const { return context_.removal.meta.name; }

  ActOutcome failed(const KubeError& error) {
    session_.action_error = error.message;
    log(LogLevel::Warning, "request failed", {{"removal", name()}, {"error", error.message}});
    return ActOutcome::Failed;
  }

  /// What is done neither to the node nor to its pods.
  awaitable<controller::Result<void>> run_elsewhere(const Action& action) {
    auto& client = context_.client;
    const auto& removal = context_.removal;
    if (const auto* record = std::get_if<RecordRemoval>(&action)) {
      const RemovedNode entry{
          .uid = record->uid, .removal = name(), .time = crd::to_rfc3339(context_.time.now)};
      const auto answer = co_await removed_nodes::write(
          client, context_.policy.own_namespace, session_.removed_nodes, record->node, entry);
      if (answer) session_.removed_nodes[record->node] = entry;
      co_return answer;
    }
    if (const auto* create = std::get_if<CreateHandOverPod>(&action))
      co_return co_await create_hand_over_pod(*create);
    if (const auto* deletion = std::get_if<DeleteHandOverPod>(&action))
      co_return co_await delete_hand_over_pod(deletion->pod);
    if (const auto* child = std::get_if<CreateChild>(&action))
      co_return co_await create_child(client, removal, *child);
    if (const auto* child = std::get_if<SteerChild>(&action))
      co_return co_await steer_child(client, *child);
    ObjectRef ref{resources::kNodeRemovals, {}, name()};
    co_return co_await client.delete_object(std::move(ref), removal.meta.uid);
  }

  awaitable<controller::Result<void>> create_hand_over_pod(CreateHandOverPod create) {
    controller::CollectionRef collection{resources::kPods, create.ns};
    auto answer = co_await context_.client.create(std::move(collection), std::move(create.pod));
    if (answer) {
      log(LogLevel::Info, "pod created that hands over the cleaning of the machine",
          {{"removal", name()}, {"node", context_.removal.spec.node_name}});
      co_return controller::Result<void>{};
    }
    if (answer.error().kind == ErrorKind::Conflict) co_return controller::Result<void>{};
    // What is missing is the namespace, which does not come by itself.
    if (answer.error().kind == ErrorKind::NotFound) answer.error().kind = ErrorKind::Invalid;
    co_return std::unexpected(answer.error());
  }

  /// At once: on a machine whose kubelet is stopped nobody would confirm its end.
  awaitable<controller::Result<void>> delete_hand_over_pod(crd::PodRef pod) {
    const auto answer =
        co_await context_.client.delete_pod(std::move(pod), std::chrono::seconds{0});
    if (!answer && answer.error().kind == ErrorKind::NotFound) co_return controller::Result<void>{};
    co_return answer;
  }

  awaitable<ActOutcome> patch_finalizers(bool add) {
    auto finalizers = context_.removal.meta.finalizers;
    std::erase(finalizers, crd::kFinalizer);
    if (add) finalizers.emplace_back(crd::kFinalizer);
    ObjectRef ref{resources::kNodeRemovals, {}, name()};
    bj::object patch{
        {"metadata", bj::object{{"resourceVersion", context_.removal.meta.resource_version},
                                {"finalizers", crd::json::to_array(finalizers)}}}};
    const auto answer = co_await context_.client.patch(std::move(ref), "", std::move(patch));
    if (answer) {
      session_.latest = crd::node_removal_from_json(*answer);
      co_return ActOutcome::Done;
    }
    if (!add && answer.error().kind == ErrorKind::NotFound) co_return ActOutcome::Done;
    if (is_conflict(answer.error())) co_return ActOutcome::Changed;
    co_return failed(answer.error());
  }

  awaitable<ActOutcome> send_node_patch(const std::string& node, bj::object patch,
                                        std::string_view what) {
    ObjectRef ref{resources::kNodes, {}, node};
    const auto answer = co_await context_.client.patch(std::move(ref), "", std::move(patch));
    context_.census.invalidate();
    if (answer) {
      session_.latest_node = crd::node_from_json(*answer);
      log(LogLevel::Info, what, {{"removal", name()}, {"node", node}});
      co_return ActOutcome::Done;
    }
    if (!is_conflict(answer.error())) co_return failed(answer.error());
    // Usually the kubelet has reported in between: the watch may be behind, so the next round needs
    // a fresh read.
    const auto fresh = co_await read_node(context_.client, node);
    if (fresh && *fresh) session_.latest_node = **fresh;
    co_return ActOutcome::Changed;
  }

  awaitable<ActOutcome> patch_node(Cordon cordon) {
    bj::object claim{{"removal", name()},
                     {"uid", context_.removal.meta.uid},
                     {"wasUnschedulable", cordon.was_unschedulable}};
    bj::object metadata{{"uid", cordon.uid},
                        {"resourceVersion", cordon.resource_version},
                        {"annotations", bj::object{{crd::kClaimAnnotation, bj::serialize(claim)}}}};
    bj::object patch{{"metadata", std::move(metadata)},
                     {"spec", bj::object{{"unschedulable", true}, {"taints", cordon.taints}}}};
    co_return co_await send_node_patch(cordon.node, std::move(patch), "node cordoned");
  }

  awaitable<ActOutcome> patch_node(Release release) {
    bj::object metadata{{"uid", release.uid},
                        {"resourceVersion", release.resource_version},
                        {"annotations", bj::object{{crd::kClaimAnnotation, nullptr}}}};
    bj::object spec{{"taints", release.taints}};
    if (release.uncordon) spec["unschedulable"] = nullptr;
    bj::object patch{{"metadata", std::move(metadata)}, {"spec", std::move(spec)}};
    co_return co_await send_node_patch(
        release.node, std::move(patch),
        release.uncordon ? "node released and uncordoned" : "node released");
  }

  awaitable<ActOutcome> patch_node(SetTaints taints) {
    bj::object metadata{{"uid", taints.uid}, {"resourceVersion", taints.resource_version}};
    bj::object patch{{"metadata", std::move(metadata)},
                     {"spec", bj::object{{"taints", taints.taints}}}};
    co_return co_await send_node_patch(taints.node, std::move(patch),
                                       "out-of-service taint changed");
  }

  /// Quorum reads of this removal and its node, made now.
  awaitable<Checked<FreshView>> read_fresh() {
    ObjectRef ref{resources::kNodeRemovals, {}, name()};
    const auto object = co_await context_.client.get(std::move(ref));
    if (!object) co_return unreadable(object.error().message);
    FreshView view{.removal = crd::node_removal_from_json(*object), .node = {}};
    const auto parent = co_await find_parent(context_.client, view.removal);
    if (!parent) co_return unreadable(parent.error().message);
    if (!*parent) {
      co_return refused("the NodeRemoval " + view.removal.meta.controller()->name +
                        " that made this one is cancelled");
    }
    auto node = co_await read_node(context_.client, context_.removal.spec.node_name);
    if (!node) co_return unreadable(node.error());
    const auto& our_uid = context_.removal.status.node_uid;
    if (!*node || (*node)->meta.uid != our_uid) session_.gone_node_uid = our_uid;
    if (!*node) co_return refused("the node is gone");
    view.node = std::move(**node);
    session_.latest = view.removal;
    session_.latest_node = view.node;
    co_return view;
  }

  awaitable<Checked<void>> check_drain() {
    const auto fresh = co_await read_fresh();
    if (!fresh) co_return std::unexpected(fresh.error());
    co_return as_checked(may_evict(context_.removal.meta.uid, *fresh));
  }

  awaitable<Checked<void>> check_dead_node(bool needs_fencing) {
    const auto census = co_await context_.census.get(kCensusMaxAge);
    if (!census) co_return unreadable(census.error());
    const auto fresh = co_await read_fresh();
    if (!fresh) co_return std::unexpected(fresh.error());
    co_return as_checked(may_act_on_dead_node(context_.removal.meta.uid, *fresh, *census,
                                              needs_fencing, context_.policy, context_.time));
  }

  /// Asks one of the checks before the node is lost.
  template <typename Gate>
  auto ask(Gate gate) -> awaitable<Checked<typename std::invoke_result_t<
      Gate, const std::string&, const FreshView&, const std::vector<crd::Pod>&,
      const std::vector<NodeSummary>&, const std::vector<OtherRemoval>&, const Policy&,
      crd::WallTime>::value_type>> {
    const auto census = co_await context_.census.get(kCensusMaxAge);
    if (!census) co_return unreadable(census.error());
    const auto pods = co_await read_pods(context_.client, context_.removal.spec.node_name);
    if (!pods) co_return unreadable(pods.error());
    const auto fresh = co_await read_fresh();
    if (!fresh) co_return std::unexpected(fresh.error());
    co_return as_checked(gate(context_.removal.meta.uid, *fresh, *pods, *census, context_.others,
                              context_.policy, context_.time));
  }

  /// What could not be read is tried again with backoff; what was refused is looked at anew.
  ActOutcome hindered(const Hindrance& hindrance, std::size_t requests) {
    if (context_.metrics != nullptr) {
      context_.metrics->withheld(hindrance.unreadable ? kWithheldUnreadable : kWithheldByGate,
                                 requests);
    }
    if (!hindrance.unreadable) return ActOutcome::Changed;
    session_.action_error = hindrance.why;
    return ActOutcome::Failed;
  }

  ActOutcome refused_by_gate(const Hindrance& hindrance, std::string_view what) {
    const auto& gone = session_.gone_node_uid;
    if (!gone.empty() && gone == context_.removal.status.node_uid) {
      return ActOutcome::Changed;  // nobody refuses anything: it is done
    }
    session_.gate_refusal = hindrance.why;
    log(LogLevel::Info, what, {{"removal", name()}, {"reason", hindrance.why}});
    return hindered(hindrance, 1);
  }

  awaitable<ActOutcome> start_host_cleanup() {
    const auto allowed = co_await ask(may_clean_host);
    if (!allowed) co_return refused_by_gate(allowed.error(), "cleaning of the machine not started");
    session_.gate_refusal.clear();
    const auto& node = session_.latest_node.value().meta;
    bj::object annotations;
    annotations[crd::kHostCleanupStartAnnotation] = context_.removal.meta.uid;
    annotations[crd::kHostCleanupReportAnnotation] = nullptr;  // whoever wrote one before
    bj::object patch{{"metadata", bj::object{{"uid", node.uid},
                                             {"resourceVersion", node.resource_version},
                                             {"annotations", std::move(annotations)}}}};
    co_return co_await send_node_patch(std::string{node.name}, std::move(patch),
                                       "cleaning of the machine started");
  }

  awaitable<ActOutcome> delete_node() {
    auto permit = co_await ask(DeleteGate::permit);
    if (!permit) co_return refused_by_gate(permit.error(), "node not deleted");
    session_.gate_refusal.clear();
    log(LogLevel::Info, "deleting node",
        {{"removal", name()},
         {"node", permit->name()},
         {"uid", permit->uid()},
         {"resourceVersion", permit->resource_version()}});
    const auto answer = co_await context_.client.delete_node(*std::move(permit));
    context_.census.invalidate();
    // Whatever was answered, the next round reads the node again: accepted is not gone, and unknown
    // is not refused.
    session_.latest_node.reset();
    if (answer) co_return ActOutcome::Done;
    if (is_conflict(answer.error())) co_return ActOutcome::Changed;
    co_return failed(answer.error());
  }

  ActContext& context_;
  Session& session_;
};

bool is_for_pod(const Action& action) {
  return std::holds_alternative<Evict>(action) || std::holds_alternative<DeletePod>(action) ||
         std::holds_alternative<ClearPod>(action);
}

}  // namespace

bool is_conflict(const KubeError& error) {
  // A wrong metadata.uid in a patch of a Node is answered with 422 instead of 409.
  return error.kind == ErrorKind::Conflict || error.kind == ErrorKind::NotFound ||
         (error.kind == ErrorKind::Invalid && error.message.find("uid") != std::string::npos);
}

controller::awaitable<ActOutcome> act(ActContext context, std::vector<Action> actions) {
  Actor actor{context};
  auto worst = ActOutcome::Done;
  std::vector<Action> for_pods;
  for (const auto& action : actions) {
    if (is_for_pod(action)) {
      for_pods.push_back(action);
      continue;
    }
    const auto outcome = co_await actor.run(action);
    if (outcome == ActOutcome::Done) {
      if (context.done != nullptr) context.done->push_back(action);
      continue;
    }
    if (!std::holds_alternative<CreateChild>(action)) co_return outcome;
    worst = outcome;  // the other nodes go on
  }
  if (worst != ActOutcome::Done) co_return worst;
  if (!for_pods.empty()) {
    const auto outcome = co_await actor.run_for_pods(for_pods);
    if (outcome != ActOutcome::Done) co_return outcome;
  }
  context.session.action_error.clear();
  co_return ActOutcome::Done;
}

}  // namespace reconcilers
