#include <chrono>
#include <utility>

#include "controller/plugin/output.hpp"
#include "controller/plugin/removal_words.hpp"
#include "controller/plugin/verbs.hpp"

namespace plugin {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;
constexpr std::chrono::seconds kTimeout = 1min;

/// Until the operator has taken back what it did to the node.
asio::awaitable<int> wait_gone(Session session, boost::json::object object,
                               std::chrono::seconds timeout) {
  Interrupts interrupts{co_await asio::this_coro::executor};
  View view;
  FollowOptions options{.until = [](const crd::NodeRemoval&) { return false; }, .timeout = timeout};
  const auto followed =
      co_await follow(session.client, std::move(object), std::move(options), view, interrupts);
  const auto& name = session.command.name;
  switch (followed.end) {
    case FollowEnd::Reached:
    case FollowEnd::Gone:
      print("noderemoval.noderemoval.dev/" + name + " cancelled\n");
      co_return 0;
    case FollowEnd::Interrupted:
      co_return exit_code_of(interrupts);
    case FollowEnd::Failed:
      co_return complain(ExitCode::Error, followed.error);
    case FollowEnd::TimedOut:
      break;
  }
  co_return complain(ExitCode::TimedOut,
                     name +
                         " is being cancelled, and the operator has not let go of its node "
                         "yet: is it running? kubectl -n noderemoval-system get pods");
}

}  // namespace

asio::awaitable<int> cancel(Session session) {
  const auto& command = session.command;
  auto object = co_await read_removal(session);
  if (!object) co_return object.error();
  const auto removal = crd::node_removal_from_json(*object);
  const auto manager = manager_of(removal);
  if (!manager.empty() && !command.delete_anyway) {
    co_return complain(
        ExitCode::Refused,
        command.name + " is managed by " + manager +
            ", which would create it again, and that would start the removal anew. Take it out of "
            "Git, or pause it there with spec.suspend: true. To delete it nevertheless: "
            "--delete-anyway");
  }
  const auto deleted =
      co_await session.client.delete_object(removal_ref(command.name), removal.meta.uid);
  if (!deleted && deleted.error().kind != controller::ErrorKind::NotFound) {
    co_return complain(deleted.error());
  }
  if (removal.status.is_terminal() || !deleted) {
    print("noderemoval.noderemoval.dev/" + command.name + " deleted\n");
    if (deleted) note("It had ended already (" + status_word(removal) + ").");
    co_return 0;
  }
  const auto timeout = command.timeout.value_or(kTimeout);
  if (timeout == 0s) {
    print("noderemoval.noderemoval.dev/" + command.name + " is being cancelled\n");
    co_return 0;
  }
  co_return co_await wait_gone(session, *std::move(object), timeout);
}

}  // namespace plugin
