#include "reconcilers/removed_nodes_record.hpp"

#include <boost/json/object.hpp>
#include <utility>

#include "reconcilers/resources.hpp"

namespace reconcilers::removed_nodes {

namespace bj = boost::json;
using controller::awaitable;
using controller::ErrorKind;
using controller::KubeClient;
using controller::ObjectRef;
using controller::Result;

awaitable<std::expected<std::map<std::string, RemovedNode>, std::string>> read(
    KubeClient& client, std::string own_namespace) {
  ObjectRef ref{resources::kConfigMaps, std::move(own_namespace), std::string{kConfigMap}};
  const auto object = co_await client.get(std::move(ref));
  if (object) co_return from_config_map(*object);
  if (object.error().kind == ErrorKind::NotFound) co_return std::map<std::string, RemovedNode>{};
  co_return std::unexpected(object.error().message);
}

awaitable<Result<void>> write(KubeClient& client, std::string own_namespace,
                              std::map<std::string, RemovedNode> recorded, std::string node,
                              RemovedNode entry) {
  ObjectRef ref{resources::kConfigMaps, own_namespace, std::string{kConfigMap}};
  bj::object patch{{"data", data_patch(recorded, node, entry)}};
  auto answer = co_await client.patch(std::move(ref), "", std::move(patch));
  if (!answer && answer.error().kind == ErrorKind::NotFound) {
    bj::object metadata{{"name", kConfigMap}, {"namespace", own_namespace}};
    bj::object config_map{{"apiVersion", "v1"},
                          {"kind", "ConfigMap"},
                          {"metadata", std::move(metadata)},
                          {"data", data_patch({}, node, entry)}};
    controller::CollectionRef collection{resources::kConfigMaps, own_namespace};
    answer = co_await client.create(std::move(collection), std::move(config_map));
  }
  if (answer) co_return Result<void>{};
  auto error = answer.error();
  error.message +=
      " (the record of removed nodes is kept in the operator's namespace: --namespace)";
  co_return std::unexpected(std::move(error));
}

}  // namespace reconcilers::removed_nodes
