#include "controller/plugin/follow.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <utility>

#include "controller/task_group.hpp"
#include "controller/wall_clock.hpp"
#include "controller/watcher.hpp"
#include "reconcilers/resources.hpp"

namespace plugin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kTick = 1s;
constexpr auto kBetweenDraws = 200ms;

class Follower final : public controller::WatchHandler {
 public:
  Follower(const asio::any_io_executor& executor, const boost::json::object& object,
           FollowOptions options, View& view, Interrupts& interrupts)
      : wake_(executor),
        options_(std::move(options)),
        view_(view),
        interrupts_(interrupts),
        start_(Clock::now()) {
    take(object);
    uid_ = removal_.meta.uid;
    interrupts_.on_signal([this](int number) { signalled(number); });
  }
  ~Follower() override { interrupts_.on_signal({}); }
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  void replace(const std::vector<boost::json::object>& items) override {
    trouble_.clear();
    if (items.empty()) return lose();
    apply(items.front());
  }

  void apply(const boost::json::object& object) override {
    trouble_.clear();
    const auto meta = crd::object_meta_from_json(object);
    if (meta.uid != uid_) return lose();
    if (!is_newer(removal_.meta, meta)) take(object);
    wake();
  }

  /// The last event has the last state: one whose time to live is over has ended, not gone.
  void remove(const boost::json::object& object) override {
    if (crd::object_meta_from_json(object).uid != uid_) return;
    take(object);
    lose();
  }

  void failed(const controller::KubeError& error) {
    using controller::ErrorKind;
    // What is answered so is answered so again.
    const bool hopeless =
        error.kind == ErrorKind::Forbidden || error.kind == ErrorKind::Unauthorized;
    (hopeless ? error_ : trouble_) = error.message;
    wake();
  }

  void heard() {
    trouble_.clear();
    wake();
  }

  bool ended() const { return reached_end().has_value(); }

  /// Until there is an end.
  asio::awaitable<Followed> run() {
    auto next_tick = Clock::now();
    auto next_draw = next_tick;
    while (true) {
      const auto end = reached_end();
      auto now = Clock::now();
      if (end || ((dirty_ || now >= next_tick) && now >= next_draw)) {
        view_.show(removal_, controller::wall_clock(), trouble_);
        dirty_ = false;
        next_tick = now + kTick;
        next_draw = now + kBetweenDraws;
      }
      if (end) co_return Followed{*end, object_, error_};
      auto until = dirty_ ? next_draw : next_tick;
      if (options_.timeout) until = std::min(until, start_ + *options_.timeout);
      wake_.expires_at(until);
      boost::system::error_code woken;
      co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
  }

 private:
  std::optional<FollowEnd> reached_end() const {
    if (options_.until(removal_)) return FollowEnd::Reached;
    if (gone_) return FollowEnd::Gone;
    if (interrupts_.caught() != 0) return FollowEnd::Interrupted;
    if (!error_.empty()) return FollowEnd::Failed;
    const bool late = options_.timeout && Clock::now() >= start_ + *options_.timeout;
    return late ? std::optional{FollowEnd::TimedOut} : std::nullopt;
  }

  void take(const boost::json::object& object) {
    object_ = object;
    removal_ = crd::node_removal_from_json(object);
  }

  void lose() {
    gone_ = true;
    wake();
  }

  void wake() {
    dirty_ = true;
    wake_.cancel();
  }

  void signalled(int number) {
    if (number == SIGTSTP) {
      view_.pause();
      ::raise(SIGSTOP);
      view_.go_on();
    }
    wake();
  }

  asio::steady_timer wake_;
  FollowOptions options_;
  View& view_;
  Interrupts& interrupts_;
  Clock::time_point start_;
  boost::json::object object_;
  crd::NodeRemoval removal_;
  std::string uid_;
  std::string trouble_;
  std::string error_;
  bool gone_ = false;
  bool dirty_ = true;
};

}  // namespace

asio::awaitable<Followed> follow(controller::KubeClient& client, boost::json::object object,
                                 FollowOptions options, View& view, Interrupts& interrupts) {
  const auto executor = co_await asio::this_coro::executor;
  const auto name = crd::object_meta_from_json(object).name;
  controller::WatcherOptions watching{.collection = {reconcilers::resources::kNodeRemovals, {}},
                                      .field_selector = "metadata.name=" + name,
                                      .backoff = options.backoff};
  Follower follower{executor, object, std::move(options), view, interrupts};
  if (follower.ended()) co_return co_await follower.run();
  watching.on_list_error = [&](const controller::KubeError& error) { follower.failed(error); };
  watching.on_watch = [&](const controller::KubeError* error) {
    error == nullptr ? follower.heard() : follower.failed(*error);
  };
  controller::TaskGroup tasks{executor};
  tasks.spawn(controller::run_watcher(client, std::move(watching), follower));
  auto followed = co_await follower.run();
  tasks.cancel();
  co_await tasks.join();
  co_return followed;
}

}  // namespace plugin
