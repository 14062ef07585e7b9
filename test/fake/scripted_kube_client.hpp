#pragma once

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "controller/kube_client.hpp"

namespace fake {

/// What a watch gives, in this order. After the last it stays open and silent.
using WatchScript = std::deque<controller::Result<std::optional<controller::WatchEvent>>>;

/// Answers lists, watches and creates from a script, and notes how it was asked. When the script is
/// at its end it says so and never answers again. No other verb may be used.
class ScriptedKubeClient final : public controller::KubeClient {
 public:
  template <typename T>
  using Result = controller::Result<T>;
  template <typename T>
  using awaitable = controller::awaitable<T>;

  std::deque<Result<controller::List>> list_answers;
  std::deque<Result<WatchScript>> watch_answers;
  std::deque<Result<boost::json::object>> create_answers;
  std::function<void()> at_end = [] {};

  std::vector<controller::ListRequest> lists;
  std::vector<controller::WatchRequest> watches;
  std::vector<std::pair<controller::CollectionRef, boost::json::object>> creates;

  awaitable<Result<controller::List>> list(controller::ListRequest request) override {
    lists.push_back(std::move(request));
    co_await answer_takes_a_moment();
    if (list_answers.empty()) co_await wait_for_ever();
    auto answer = std::move(list_answers.front());
    list_answers.pop_front();
    co_return answer;
  }

  awaitable<Result<std::unique_ptr<controller::WatchStream>>> watch(
      controller::WatchRequest request) override {
    watches.push_back(std::move(request));
    co_await answer_takes_a_moment();
    if (watch_answers.empty()) co_await wait_for_ever();
    auto answer = std::move(watch_answers.front());
    watch_answers.pop_front();
    if (!answer) co_return std::unexpected(answer.error());
    co_return std::make_unique<Stream>(*this, *std::move(answer));
  }

  awaitable<Result<boost::json::object>> get(controller::ObjectRef) override {
    co_return unexpected<boost::json::object>("get");
  }
  awaitable<Result<boost::json::object>> patch(controller::ObjectRef, std::string_view,
                                               boost::json::object) override {
    co_return unexpected<boost::json::object>("patch");
  }
  awaitable<Result<boost::json::object>> create(controller::CollectionRef collection,
                                                boost::json::object object) override {
    creates.emplace_back(collection, std::move(object));
    co_await answer_takes_a_moment();
    if (create_answers.empty()) co_return unexpected<boost::json::object>("create");
    auto answer = std::move(create_answers.front());
    create_answers.pop_front();
    co_return answer;
  }
  awaitable<Result<void>> evict(crd::PodRef, std::optional<std::chrono::seconds>,
                                bool /*dry_run*/) override {
    co_return unexpected<void>("evict");
  }
  awaitable<Result<void>> delete_pod(crd::PodRef, std::optional<std::chrono::seconds>) override {
    co_return unexpected<void>("delete_pod");
  }
  awaitable<Result<void>> delete_object(controller::ObjectRef, std::string) override {
    co_return unexpected<void>("delete_object");
  }
  awaitable<Result<int>> server_minor() override { co_return unexpected<int>("server_minor"); }
  awaitable<Result<void>> delete_node(crd::NodeDeletePermit) override {
    co_return unexpected<void>("delete_node");
  }

 private:
  class Stream final : public controller::WatchStream {
   public:
    Stream(ScriptedKubeClient& client, WatchScript script)
        : client_(client), script_(std::move(script)) {}

    awaitable<Result<std::optional<controller::WatchEvent>>> next() override {
      co_await answer_takes_a_moment();
      if (script_.empty()) co_await client_.wait_for_ever();
      auto event = std::move(script_.front());
      script_.pop_front();
      co_return event;
    }

   private:
    ScriptedKubeClient& client_;
    WatchScript script_;
  };

  /// No real answer is there at once. A coroutine that is cancelled before it has ever waited ends
  /// in an exception out of io_context::run (Boost 1.81).
  static awaitable<void> answer_takes_a_moment() {
    co_await boost::asio::post(co_await boost::asio::this_coro::executor,
                               boost::asio::use_awaitable);
  }

  awaitable<void> wait_for_ever() {
    const auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer timer{executor, boost::asio::steady_timer::time_point::max()};
    boost::asio::post(executor, [this] { at_end(); });
    co_await timer.async_wait(boost::asio::use_awaitable);
  }

  template <typename T>
  static Result<T> unexpected(std::string_view verb) {
    ADD_FAILURE() << "nobody expected a " << verb;
    return std::unexpected(controller::KubeError{});
  }
};

}  // namespace fake
