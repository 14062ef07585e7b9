#pragma once

#include <optional>
#include <string>
#include <vector>

#include "controller/kube_client.hpp"
#include "reconcilers/observation.hpp"
#include "test/model/operator.hpp"

namespace model {

/// Gives the answers that the process has got already, notes the first request after them, and
/// answers nothing more.
class ReplayingClient final : public controller::KubeClient {
 public:
  template <typename T>
  using Result = controller::Result<T>;
  template <typename T>
  using awaitable = controller::awaitable<T>;

  ReplayingClient(const Process& process, const Scenario& scenario, const Statuses& statuses)
      : process_(process), scenario_(scenario), statuses_(statuses) {}

  std::optional<Request> next;

  awaitable<Result<boost::json::object>> get(controller::ObjectRef object) override;
  awaitable<Result<controller::List>> list(controller::ListRequest request) override;
  awaitable<Result<boost::json::object>> patch(controller::ObjectRef object,
                                               std::string_view subresource,
                                               boost::json::object merge_patch) override;
  awaitable<Result<void>> evict(crd::PodRef pod, std::optional<std::chrono::seconds> grace,
                                bool dry_run) override;
  awaitable<Result<void>> delete_pod(crd::PodRef pod,
                                     std::optional<std::chrono::seconds> grace) override;
  awaitable<Result<void>> delete_node(crd::NodeDeletePermit permit) override;

  awaitable<Result<std::unique_ptr<controller::WatchStream>>> watch(
      controller::WatchRequest) override;
  awaitable<Result<boost::json::object>> create(controller::CollectionRef,
                                                boost::json::object) override;
  awaitable<Result<void>> delete_object(controller::ObjectRef, std::string) override;
  awaitable<Result<int>> server_minor() override;

 private:
  /// The answer to the next request.
  awaitable<Answer> ask(Request request);
  boost::json::object node_or_removal(const Answer& answer, bool node) const;

  const Process& process_;
  const Scenario& scenario_;
  const Statuses& statuses_;
  std::size_t replayed_ = 0;
};

/// The node of this world, and two others.
std::vector<reconcilers::NodeSummary> census_of(const NodeState& node, bool outage);

}  // namespace model
