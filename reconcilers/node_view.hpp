#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "controller/kube_client.hpp"
#include "controller/store.hpp"
#include "controller/task_group.hpp"
#include "crd/core_types.hpp"

namespace reconcilers {

/// The two watches of one removal: its node, and the pods bound to it.
struct NodeView {
  controller::Store<crd::Node> nodes;
  controller::Store<crd::Pod> pods;
  controller::TaskGroup::Handle node_watch;
  controller::TaskGroup::Handle pod_watch;

  /// Those that are really bound to this node, sorted by namespace and name.
  std::vector<crd::Pod> pods_of(const std::string& node) const;
  void stop();
};

/// Starts to watch; `on_change` is called at every change.
std::shared_ptr<NodeView> start_node_view(boost::asio::any_io_executor executor,
                                          controller::KubeClient& client,
                                          controller::TaskGroup& tasks, const std::string& node,
                                          const std::function<void()>& on_change);

}  // namespace reconcilers
