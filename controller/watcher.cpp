#include "controller/watcher.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <optional>
#include <utility>

#include "controller/api_status.hpp"
#include "controller/log.hpp"
#include "controller/redact.hpp"
#include "crd/core_types.hpp"
#include "crd/json.hpp"

namespace controller {
namespace {

namespace asio = boost::asio;
using Clock = std::chrono::steady_clock;

/// A watch that ends sooner than this without an event is a failure, or a broken server makes us
/// spin (C9).
constexpr std::chrono::seconds kShortWatch{1};

awaitable<void> pause(std::chrono::milliseconds delay) {
  asio::steady_timer timer{co_await asio::this_coro::executor};
  timer.expires_after(delay);
  co_await timer.async_wait(asio::use_awaitable);
}

enum class WatchEnd {
  Resume,   ///< in order: watch on from where we are
  Broken,   ///< watch on from where we are, after a pause
  Expired,  ///< that place means nothing any more: list again
};

class Watcher {
 public:
  Watcher(KubeClient& client, WatcherOptions options, WatchHandler& handler)
      : client_(client), options_(std::move(options)), handler_(handler) {}

  awaitable<void> run() {
    for (;;) {
      if (!co_await list()) {
        co_await back_off();
        continue;
      }
      auto end = WatchEnd::Resume;
      while (end != WatchEnd::Expired) {
        if (end == WatchEnd::Broken) co_await back_off();
        end = co_await watch();
      }
      // A server that forgets at once what it has just listed would be listed as fast as it can.
      if (!delivered_) co_await back_off();
    }
  }

 private:
  awaitable<bool> list() {
    ListRequest request{.collection = options_.collection,
                        .field_selector = options_.field_selector,
                        .resource_version = options_.from_cache && !listed_ ? "0" : "",
                        .fields = options_.fields};
    auto answer = co_await client_.list(std::move(request));
    if (!answer) {
      log(LogLevel::Warning, "list failed", {{"error", answer.error().message}});
      if (options_.on_list_error) options_.on_list_error(answer.error());
      co_return false;
    }
    listed_ = true;
    delivered_ = false;
    resource_version_ = answer->resource_version;
    handler_.replace(answer->items);
    co_return true;
  }

  awaitable<WatchEnd> watch() {
    const auto started = Clock::now();
    WatchRequest request{.collection = options_.collection,
                         .field_selector = options_.field_selector,
                         .resource_version = resource_version_,
                         .fields = options_.fields};
    auto stream = co_await client_.watch(std::move(request));
    if (!stream) co_return judge(stream.error());
    if (options_.on_watch) options_.on_watch(nullptr);
    bool any_event = false;
    for (;;) {
      auto event = co_await (*stream)->next();
      if (!event) {
        const auto end = judge(event.error());
        // A server that was restored from a backup says nothing in a watch from a place that it has
        // never been at, or goes on from there as if nothing had happened once it has come so far.
        co_return event.error().silent ? WatchEnd::Expired : end;
      }
      if (!*event) {
        co_return any_event || Clock::now() - started > kShortWatch ? WatchEnd::Resume
                                                                    : WatchEnd::Broken;
      }
      if ((*event)->type == WatchEvent::Type::Error) co_return judge_status((*event)->object);
      any_event = true;
      delivered_ = true;
      failures_ = 0;
      deliver(**event);
    }
  }

  void deliver(const WatchEvent& event) {
    const auto version = crd::object_meta_from_json(event.object).resource_version;
    if (!version.empty()) resource_version_ = version;
    switch (event.type) {
      case WatchEvent::Type::Added:
      case WatchEvent::Type::Modified:
        handler_.apply(event.object);
        break;
      case WatchEvent::Type::Deleted:
        handler_.remove(event.object);
        break;
      case WatchEvent::Type::Bookmark:
      case WatchEvent::Type::Error:
        break;
    }
  }

  WatchEnd judge(const KubeError& error) {
    log(LogLevel::Info, "watch ended", {{"error", error.message}});
    if (options_.on_watch) options_.on_watch(&error);
    const bool too_large = error.has_cause("ResourceVersionTooLarge");
    return error.kind == ErrorKind::Gone || too_large ? WatchEnd::Expired : WatchEnd::Broken;
  }

  /// An Error event: a Status inside the stream.
  WatchEnd judge_status(const boost::json::object& status) {
    const auto code = crd::json::int_at(status, "code").value_or(0);
    log(LogLevel::Info, "watch ended by the server",
        {{"code", std::to_string(code)},
         {"message", redact_tokens(one_line(crd::json::string_at(status, "message")))}});
    // 504 here is "too large resource version": the server is behind what we have seen, as after a
    // restore.
    return code == 410 || code == 504 ? WatchEnd::Expired : WatchEnd::Broken;
  }

  awaitable<void> back_off() {
    const auto delay = options_.backoff.delay(failures_, random_fraction());
    if (failures_ < 20) ++failures_;
    co_await pause(delay);
  }

  KubeClient& client_;
  WatcherOptions options_;
  WatchHandler& handler_;
  std::string resource_version_;
  int failures_ = 0;
  bool listed_ = false;
  bool delivered_ = false;  ///< an event came since the last list
};

}  // namespace

awaitable<void> run_watcher(KubeClient& client, WatcherOptions options, WatchHandler& handler) {
  Watcher watcher{client, std::move(options), handler};
  co_await watcher.run();
}

}  // namespace controller
