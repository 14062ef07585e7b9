#include "reconcilers/pod_requests.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "controller/backoff.hpp"
#include "controller/log.hpp"
#include "reconcilers/eviction_outcome.hpp"

namespace reconcilers {
namespace {

namespace asio = boost::asio;
using controller::awaitable;
using controller::log;
using controller::LogLevel;

/// Evictions of one removal in flight at once. The API server spends about 25 ms on each; more only
/// queue there.
constexpr std::size_t kPodRequestsInFlight = 16;

/// For so long a fresh read of the removal and its node lets requests for pods go out. What is left
/// then waits for the next round, which reads again: the user may have cancelled.
constexpr std::chrono::seconds kCheckHolds{5};

class PodRequests {
 public:
  explicit PodRequests(ActContext& context) : context_(context), session_(context.session) {}

  awaitable<void> send(const std::vector<Action>& actions) {
    Batch batch{.actions = actions, .until = std::chrono::steady_clock::now() + kCheckHolds};
    const auto executor = co_await asio::this_coro::executor;
    const auto start = [&] { return asio::co_spawn(executor, send_from(batch), asio::deferred); };
    std::vector<decltype(start())> started;
    for (std::size_t i = 0; i < std::min(actions.size(), kPodRequestsInFlight); ++i) {
      started.push_back(start());
    }
    auto group = asio::experimental::make_parallel_group(std::move(started));
    const auto [order, errors] =
        co_await group.async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
    for (const auto& error : errors) {
      if (error) std::rethrow_exception(error);
    }
  }

 private:
  /// Requests for pods that several lanes share.
  struct Batch {
    const std::vector<Action>& actions;
    std::chrono::steady_clock::time_point until;
    std::size_t next = 0;
  };

  awaitable<void> send_from(Batch& batch) {
    while (batch.next < batch.actions.size() && std::chrono::steady_clock::now() < batch.until) {
      co_await send_for_pod(batch.actions[batch.next++]);
    }
  }

  struct Sent {
    crd::PodRef pod;
    std::string_view method;
    controller::Result<void> answer;
  };

  awaitable<Sent> send_one(const Action& action) {
    auto& client = context_.client;
    if (const auto* evict = std::get_if<Evict>(&action)) {
      std::optional<std::chrono::seconds> grace;
      if (evict->grace_period_seconds) grace = std::chrono::seconds{*evict->grace_period_seconds};
      if (evict->past_budgets) {
        co_return Sent{evict->pod, kDeleted, co_await client.delete_pod(evict->pod, grace)};
      }
      Sent sent{evict->pod, kEvicted, co_await client.evict(evict->pod, grace, false)};
      if (context_.metrics != nullptr) {
        context_.metrics->eviction_answered(eviction_result(sent.answer));
      }
      co_return sent;
    }
    if (const auto* clear = std::get_if<ClearPod>(&action)) {
      co_return Sent{clear->pod, kForced,
                     co_await client.delete_pod(clear->pod, std::chrono::seconds{0})};
    }
    const auto& pod = std::get<DeletePod>(action).pod;
    co_return Sent{pod, kDeleted, co_await client.delete_pod(pod, std::nullopt)};
  }

  awaitable<void> send_for_pod(const Action& action) {
    // An accepted request shows in the watch within moments; until then it is not repeated.
    const auto quiet_until = context_.time.now + std::chrono::seconds{5};
    const auto [pod, method, answer] = co_await send_one(action);
    if (answer && context_.done != nullptr) context_.done->push_back(action);
    const auto& removal = context_.removal.meta.name;
    if (answer && context_.metrics != nullptr) context_.metrics->pod_removed(method);
    // A pod that is not there, or has another UID now, is gone from this node: the watch will say
    // so.
    if (answer || is_conflict(answer.error())) {
      const bool clearing = method == kForced;
      (clearing ? session_.cleared : session_.accepted)[pod.uid] = quiet_until;
      session_.refusals.erase(pod.uid);
      session_.attempts.erase(pod.uid);
      log(LogLevel::Info, clearing ? "pod cleared" : "pod told to leave",
          {{"removal", removal}, {"pod", pod.ns + "/" + pod.name}, {"uid", pod.uid}});
      co_return;
    }
    auto& attempt = session_.attempts[pod.uid];
    auto refusal =
        refusal_from(answer.error(), attempt++, controller::random_fraction(), context_.time.now);
    if (!refusal.pdb.empty()) {
      const auto budget = co_await read_budget(context_.client, session_, pod.ns, refusal.pdb);
      if (budget) refusal = explained_by(*budget, std::move(refusal));
      refusal.pdb = pod.ns + "/" + refusal.pdb;
    }
    session_.refusals[pod.uid] = std::move(refusal);
    log(LogLevel::Info, "pod not told to leave",
        {{"removal", removal},
         {"pod", pod.ns + "/" + pod.name},
         {"error", answer.error().message}});
  }

  ActContext& context_;
  Session& session_;
};

}  // namespace

awaitable<void> send_for_pods(ActContext& context, const std::vector<Action>& actions) {
  PodRequests requests{context};
  co_await requests.send(actions);
}

}  // namespace reconcilers
