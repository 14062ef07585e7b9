#pragma once

#include <expected>
#include <map>
#include <string>

#include "controller/kube_client.hpp"
#include "reconcilers/removed_nodes.hpp"

/// The record of removed nodes in the API server.
namespace reconcilers::removed_nodes {

/// Empty when nothing was recorded yet.
controller::awaitable<std::expected<std::map<std::string, RemovedNode>, std::string>> read(
    controller::KubeClient& client, std::string own_namespace);

/// Writes one entry; those of others stay. `recorded`: what was read, to drop the oldest of too
/// many.
controller::awaitable<controller::Result<void>> write(controller::KubeClient& client,
                                                      std::string own_namespace,
                                                      std::map<std::string, RemovedNode> recorded,
                                                      std::string node, RemovedNode entry);

}  // namespace reconcilers::removed_nodes
