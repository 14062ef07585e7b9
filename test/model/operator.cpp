#include "test/model/operator.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <stdexcept>
#include <utility>

#include "crd/json.hpp"
#include "reconcilers/decide.hpp"
#include "test/model/replaying_client.hpp"
#include "test/unit/reconcilers/builders.hpp"

namespace model {
namespace {

using reconcilers::FactName;
using reconcilers::Observation;

/// Stands for the version of the node that the process has in view.
constexpr std::string_view kViewed = "@";

crd::Node to_node(const NodeState& node) { return crd::node_from_json(node_json(node)); }

template <typename Change>
void for_node_version(reconcilers::Action& action, Change change) {
  std::visit(
      [&](auto& one) {
        if constexpr (requires { one.taints; }) change(one.resource_version);
      },
      action);
}

std::string words_of(const std::vector<reconcilers::Action>& actions) {
  std::ostringstream out;
  for (const auto& action : actions) {
    std::visit([&](const auto& one) { reconcilers::PrintTo(one, &out); }, action);
    const auto* deletion = std::get_if<reconcilers::DeletePod>(&action);
    const auto* clear = std::get_if<reconcilers::ClearPod>(&action);
    const bool once = (deletion != nullptr && deletion->at_most_once) ||
                      (clear != nullptr && clear->at_most_once);
    out << (once ? " once;" : ";");
  }
  return out.str();
}

bool has(Byte bits, std::size_t index) { return (bits >> index & 1U) != 0; }

Byte bits_of(const auto& by_uid) {
  Byte bits = 0;
  for (std::size_t i = 0; i < kPods; ++i) {
    if (by_uid.contains(pod_uid(i))) bits = static_cast<Byte>(bits | 1U << i);
  }
  return bits;
}

/// Fills what a process remembers of its pods, in an Observation or a Session.
void fill_memory(const Process& process, auto& target) {
  using std::chrono::seconds;
  for (std::size_t i = 0; i < kPods; ++i) {
    const auto uid = pod_uid(i);
    if (has(process.told, i)) target.accepted[uid] = kNow + seconds{5};
    if (has(process.cleared, i)) target.cleared[uid] = kNow + seconds{5};
    if (has(process.refused, i)) {
      target.refusals[uid] = {.reason = "PodDisruptionBudget",
                              .message = "The disruption budget web needs 3 healthy pods",
                              .pdb = "shop/web",
                              .retry_at = has(process.pausing, i) ? kNow + seconds{1} : kNow};
    }
  }
  if (process.gate_refused) target.gate_refusal = "as before";
  if (process.failed) target.action_error = "as before";
}

Byte version_of(const auto& object) {
  return object ? static_cast<Byte>(std::stoi(object->meta.resource_version)) : Byte{0};
}

}  // namespace

Observation Operator::observe(const Process& process) const {
  Observation seen;
  seen.removal =
      crd::node_removal_from_json(removal_json(process.removal, scenario_.spec, statuses_));
  fill_memory(process, seen);
  return seen;
}

void Operator::answer(FactName fact, const World& world, const Process& process,
                      Observation& seen) const {
  switch (fact) {
    case FactName::Node: {
      std::optional<crd::Node> node;
      if (process.node.exists()) node = to_node(process.node);
      seen.node = std::move(node);
      return;
    }
    case FactName::FreshNode: {
      std::optional<crd::Node> node;
      if (world.node.exists()) node = to_node(world.node);
      seen.node = std::move(node);
      seen.node_is_fresh = true;
      return;
    }
    case FactName::Pods: {
      std::vector<crd::Pod> pods;
      for (std::size_t i = 0; i < kPods; ++i) {
        if (!process.pods[i].on_node()) continue;
        pods.push_back(crd::pod_from_json(pod_json(i, scenario_.kinds[i], process.pods[i])));
      }
      seen.pods = std::move(pods);
      return;
    }
    case FactName::Census:
      seen.census = census_of(world.node, world.outage);
      return;
    case FactName::Workloads: {
      std::map<std::string, reconcilers::WorkloadProgress> progress;
      for (const auto& workload : seen.removal.status.workloads) {
        const auto pod = static_cast<std::size_t>(workload.name.back() - '0');
        progress[workload.uid] = {
            .exists = true, .desired = 1, .ready = world.replaced.at(pod) ? 1 : 0};
      }
      seen.workloads = std::move(progress);
      return;
    }
    case FactName::Attachments: {
      std::vector<std::string> attachments;
      if (world.attached) attachments.emplace_back("volume");
      seen.attachments = std::move(attachments);
      return;
    }
    case FactName::Leftovers: {
      reconcilers::Leftovers left;
      for (std::size_t i = 0; i < kPods; ++i) {
        if (process.pods[i].on_node()) left.pods.push_back("shop/" + pod_name(i));
      }
      if (world.attached) left.attachments.emplace_back("volume");
      seen.leftovers = std::move(left);
      return;
    }
    case FactName::RemovedNodes: {
      std::map<std::string, reconcilers::RemovedNode> removed;
      if (world.recorded) {
        removed[std::string{kNodeName}] = {.uid = node_uid(1), .removal = "gone", .time = {}};
      }
      seen.removed_nodes = std::move(removed);
      return;
    }
    case FactName::ServerMinor:
      seen.server_minor = 36;
      return;
    case FactName::Claims:
      seen.claims = std::map<std::string, bool>{};
      return;
    case FactName::HandOverPod:
      seen.hand_over_pod = hand_over_pod_of(world.hand_over);
      return;
    case FactName::Trials:
    case FactName::Matches:
      throw std::logic_error("a fact that the model does not know");
  }
}

std::uint16_t Operator::id_of(std::vector<reconcilers::Action> actions,
                              const std::string& node_version) {
  if (actions.empty()) return 0;
  for (auto& action : actions) {
    for_node_version(action, [&](std::string& version) {
      if (version == node_version) version = kViewed;
    });
  }
  const auto next = static_cast<std::uint16_t>(actions_.size());
  const auto [entry, is_new] = action_ids_.try_emplace(words_of(actions), next);
  if (is_new) actions_.push_back(std::move(actions));
  return entry->second;
}

Verdict Operator::decide_anew(const World& world, const Process& process, bool readable) {
  auto seen = observe(process);
  if (!readable) seen.hand_over_pod = std::unexpected("no answer");
  for (int questions = 0; questions < 20; ++questions) {
    auto decision = reconcilers::decide(seen, scenario_.policy, kNow);
    if (decision.needs.empty()) {
      const auto& viewed = seen.node_is_fresh ? world.node : process.node;
      return {statuses_.id_of(std::move(decision.status)),
              id_of(std::move(decision.actions), std::to_string(viewed.version)),
              seen.node_is_fresh};
    }
    for (const auto fact : decision.needs) answer(fact, world, process, seen);
  }
  throw std::logic_error("decide() asks for ever");
}

Verdict Operator::decide(const World& world, const Process& process, bool readable) {
  std::string key;
  append_bytes(key, process.removal);
  append_bytes(key, process.node);
  append_bytes(key, process.pods);
  for (const Byte part :
       {process.told, process.cleared, process.refused, process.pausing, Byte{process.gate_refused},
        Byte{process.failed}, Byte{world.attached}, Byte{world.recorded}, Byte{world.outage},
        static_cast<Byte>(world.hand_over), Byte{readable}}) {
    key.push_back(static_cast<char>(part));
  }
  append_bytes(key, world.node);
  append_bytes(key, world.replaced);
  const auto found = decided_.find(key);
  if (found != decided_.end()) return found->second;
  return decided_[key] = decide_anew(world, process, readable);
}

Progress Operator::act(const Process& process) {
  auto actions = actions_.at(process.actions);
  for (auto& action : actions) {
    for_node_version(action, [&](std::string& version) {
      if (version == kViewed) version = std::to_string(process.node.version);
    });
  }
  boost::asio::io_context context{1};
  ReplayingClient client{process, scenario_, statuses_};
  reconcilers::CensusCache census{client};
  reconcilers::Session session{std::string{kRemovalUid}};
  fill_memory(process, session);
  if (process.knows_gone) session.gone_node_uid = node_uid(1);
  std::exception_ptr failure;
  boost::asio::co_spawn(context,
                        reconcilers::act({.client = client,
                                          .census = census,
                                          .session = session,
                                          .policy = scenario_.policy,
                                          .removal = crd::node_removal_from_json(removal_json(
                                              process.removal, scenario_.spec, statuses_)),
                                          .others = {},
                                          .time = kNow},
                                         std::move(actions)),
                        [&](const std::exception_ptr& error, auto&&...) { failure = error; });
  context.poll();
  if (failure) std::rethrow_exception(failure);
  if (client.next) return {.request = std::move(client.next), .memory = {}};
  Memory memory{.told = bits_of(session.accepted),
                .cleared = bits_of(session.cleared),
                .refused = bits_of(session.refusals),
                .pausing = bits_of(session.attempts),
                .gate_refused = !session.gate_refusal.empty(),
                .failed = !session.action_error.empty(),
                .knows_gone = !session.gone_node_uid.empty(),
                .node_version = version_of(session.latest_node),
                .removal_version = version_of(session.latest)};
  return {.request = std::nullopt, .memory = memory};
}

const Progress& Operator::progress(const Process& process) {
  std::string key;
  append_bytes(key, process.removal);
  append_bytes(key, process.actions);
  for (const Byte part :
       {process.node.version, process.told, process.cleared, process.refused, process.pausing,
        Byte{process.gate_refused}, Byte{process.failed}, Byte{process.knows_gone}}) {
    key.push_back(static_cast<char>(part));
  }
  for (std::size_t i = 0; i < process.answered; ++i) append_bytes(key, process.answers[i]);
  const auto found = acted_.find(key);
  if (found != acted_.end()) return found->second;
  return acted_[key] = act(process);
}

}  // namespace model
