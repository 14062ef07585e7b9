#include "test/model/replaying_client.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <stdexcept>
#include <utility>

#include "crd/json.hpp"
#include "reconcilers/resources.hpp"

namespace model {
namespace {

namespace bj = boost::json;
namespace resources = reconcilers::resources;
using controller::ErrorKind;
using controller::KubeError;

KubeError error_of(Fault fault) {
  KubeError error;
  switch (fault) {
    case Fault::NotFound:
      error.kind = ErrorKind::NotFound;
      break;
    case Fault::Conflict:
      error.kind = ErrorKind::Conflict;
      break;
    case Fault::WrongUid:
      error.kind = ErrorKind::Invalid;
      error.message = "metadata.uid: field is immutable";
      break;
    case Fault::Budget:
      error.kind = ErrorKind::TooManyRequests;
      error.causes = {{"DisruptionBudget", "The disruption budget web needs 3 healthy pods", ""}};
      break;
    case Fault::None:
    case Fault::Unknown:
      error.message = "no answer";
      break;
  }
  return error;
}

std::optional<std::int64_t> count_of(std::optional<std::chrono::seconds> grace) {
  if (!grace) return std::nullopt;
  return grace->count();
}

controller::Result<void> as_void(const Answer& answer) {
  if (answer.fault != Fault::None) return std::unexpected(error_of(answer.fault));
  return {};
}

[[noreturn]] void refuse(std::string_view what) {
  throw std::logic_error("the model does not know this request: " + std::string{what});
}

bj::object other_node_json(const reconcilers::NodeSummary& node) {
  bj::object ready{{"type", "Ready"}, {"status", node.ready ? "True" : "Unknown"}};
  return {{"metadata", bj::object{{"name", node.name}, {"uid", node.uid}}},
          {"status", bj::object{{"conditions", bj::array{std::move(ready)}}}}};
}

}  // namespace

std::vector<reconcilers::NodeSummary> census_of(const NodeState& node, bool outage) {
  std::vector<reconcilers::NodeSummary> census;
  if (node.exists()) {
    census.push_back({.name = std::string{kNodeName},
                      .uid = node_uid(node.generation),
                      .ready = node.ready,
                      .unschedulable = node.unschedulable,
                      .being_cleaned = node.is_claimed() && node.start == Start::Ours});
  }
  census.push_back({.name = "nano", .uid = "other-1", .ready = !outage});
  census.push_back({.name = "xavier", .uid = "other-2", .ready = !outage});
  return census;
}

boost::asio::awaitable<Answer> ReplayingClient::ask(Request request) {
  if (replayed_ < process_.answered) {
    const auto& answer = process_.answers[replayed_++];
    if (answer.verb != request.verb) refuse("a replay that goes another way");
    co_return answer;
  }
  if (!next) next = std::move(request);
  boost::asio::steady_timer never{co_await boost::asio::this_coro::executor,
                                  boost::asio::steady_timer::time_point::max()};
  co_await never.async_wait(boost::asio::use_awaitable);
  refuse("the end of time");
}

bj::object ReplayingClient::node_or_removal(const Answer& answer, bool node) const {
  return node ? node_json(answer.node) : removal_json(answer.removal, scenario_.spec, statuses_);
}

controller::awaitable<controller::Result<bj::object>> ReplayingClient::get(
    controller::ObjectRef object) {
  if (object.resource == resources::kPodDisruptionBudgets) {
    co_return std::unexpected(error_of(Fault::NotFound));  // only explains a refusal
  }
  const bool node = object.resource == resources::kNodes;
  if (!node && object.resource != resources::kNodeRemovals) refuse(object.resource.plural);
  const auto answer =
      co_await ask({.verb = node ? Verb::GetNode : Verb::GetRemoval, .name = object.name});
  if (answer.fault != Fault::None) co_return std::unexpected(error_of(answer.fault));
  co_return node_or_removal(answer, node);
}

controller::awaitable<controller::Result<controller::List>> ReplayingClient::list(
    controller::ListRequest request) {
  // Anything but "" may be answered from a cache.
  if (!request.resource_version.empty()) refuse("a list that is no quorum read");
  const bool nodes = request.collection.resource == resources::kNodes;
  const auto answer = co_await ask({.verb = nodes ? Verb::ListNodes : Verb::ListPods});
  if (answer.fault != Fault::None) co_return std::unexpected(error_of(answer.fault));
  if (nodes) {
    for (const auto& node : census_of({}, answer.outage)) request.on_item(other_node_json(node));
    if (answer.node.exists()) request.on_item(node_json(answer.node));
  } else {
    for (std::size_t i = 0; i < kPods; ++i) {
      if (!answer.pods[i].on_node()) continue;
      request.on_item(pod_json(i, scenario_.kinds[i], answer.pods[i]));
    }
  }
  co_return controller::List{.resource_version = "1", .items = {}};
}

controller::awaitable<controller::Result<bj::object>> ReplayingClient::patch(
    controller::ObjectRef object, std::string_view /*subresource*/, bj::object merge_patch) {
  Request request{.verb = Verb::PatchRecord, .name = object.name, .patch = std::move(merge_patch)};
  const bool node = object.resource == resources::kNodes;
  if (object.resource != resources::kConfigMaps) {
    request.verb = node ? Verb::PatchNode : Verb::PatchRemoval;
    const auto& metadata = request.patch.at("metadata").as_object();
    request.uid = crd::json::string_at(metadata, "uid");
    request.resource_version = crd::json::string_at(metadata, "resourceVersion");
  }
  const auto verb = request.verb;
  const auto answer = co_await ask(std::move(request));
  if (answer.fault != Fault::None) co_return std::unexpected(error_of(answer.fault));
  if (verb == Verb::PatchRecord) co_return bj::object{};
  co_return node_or_removal(answer, node);
}

controller::awaitable<controller::Result<void>> ReplayingClient::evict(
    crd::PodRef pod, std::optional<std::chrono::seconds> grace, bool dry_run) {
  if (dry_run) refuse("a trial");
  co_return as_void(co_await ask(
      {.verb = Verb::Evict, .name = pod.name, .uid = pod.uid, .grace = count_of(grace)}));
}

controller::awaitable<controller::Result<void>> ReplayingClient::delete_pod(
    crd::PodRef pod, std::optional<std::chrono::seconds> grace) {
  const bool hands_over = pod.ns == scenario_.policy.host_cleanup_namespace;
  co_return as_void(co_await ask({.verb = hands_over ? Verb::DeleteHandOver : Verb::DeletePod,
                                  .name = pod.name,
                                  .uid = pod.uid,
                                  .grace = count_of(grace)}));
}

controller::awaitable<controller::Result<void>> ReplayingClient::delete_node(
    crd::NodeDeletePermit permit) {
  co_return as_void(co_await ask({.verb = Verb::DeleteNode,
                                  .name = permit.name(),
                                  .uid = permit.uid(),
                                  .resource_version = permit.resource_version()}));
}

controller::awaitable<controller::Result<std::unique_ptr<controller::WatchStream>>>
ReplayingClient::watch(controller::WatchRequest) {
  refuse("watch");
}
controller::awaitable<controller::Result<bj::object>> ReplayingClient::create(
    controller::CollectionRef collection, bj::object object) {
  const bool hands_over = collection.resource == resources::kPods &&
                          collection.ns == scenario_.policy.host_cleanup_namespace;
  if (!hands_over) refuse("create");
  const auto name = crd::json::string_at(object.at("metadata").as_object(), "name");
  const auto answer = co_await ask({.verb = Verb::CreateHandOver, .name = name});
  if (answer.fault != Fault::None) co_return std::unexpected(error_of(answer.fault));
  co_return object;
}
controller::awaitable<controller::Result<void>> ReplayingClient::delete_object(
    controller::ObjectRef, std::string) {
  refuse("delete");
}
controller::awaitable<controller::Result<int>> ReplayingClient::server_minor() {
  refuse("version");
}

}  // namespace model
