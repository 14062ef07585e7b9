#include "reconcilers/node_view.hpp"

#include <utility>

#include "controller/watcher.hpp"
#include "reconcilers/resources.hpp"

namespace reconcilers {
namespace {

using controller::awaitable;
using controller::KubeClient;

controller::WatcherOptions options_for(controller::Resource resource, std::string field_selector,
                                       controller::Fields fields) {
  return {.collection = {resource, {}},
          .field_selector = std::move(field_selector),
          .from_cache = true,
          .fields = fields};
}

awaitable<void> watch_nodes(KubeClient& client, std::shared_ptr<NodeView> view, std::string node) {
  co_await controller::run_watcher(
      client, options_for(resources::kNodes, "metadata.name=" + node, crd::kNodeFields),
      view->nodes);
}

awaitable<void> watch_pods(KubeClient& client, std::shared_ptr<NodeView> view, std::string node) {
  co_await controller::run_watcher(
      client, options_for(resources::kPods, "spec.nodeName=" + node, crd::kPodFields), view->pods);
}

}  // namespace

std::vector<crd::Pod> NodeView::pods_of(const std::string& node) const {
  std::vector<crd::Pod> result;
  for (const auto& [key, pod] : pods.items()) {
    if (pod.node_name == node) result.push_back(pod);
  }
  return result;
}

void NodeView::stop() {
  node_watch.cancel();
  pod_watch.cancel();
}

std::shared_ptr<NodeView> start_node_view(boost::asio::any_io_executor executor, KubeClient& client,
                                          controller::TaskGroup& tasks, const std::string& node,
                                          const std::function<void()>& on_change) {
  const auto changed = [on_change](const auto&) { on_change(); };
  auto view = std::make_shared<NodeView>(NodeView{.nodes = {executor, crd::node_from_json, changed},
                                                  .pods = {executor, crd::pod_from_json, changed},
                                                  .node_watch = {},
                                                  .pod_watch = {}});
  view->pod_watch = tasks.spawn(watch_pods(client, view, node));
  view->node_watch = tasks.spawn(watch_nodes(client, view, node));
  return view;
}

}  // namespace reconcilers
