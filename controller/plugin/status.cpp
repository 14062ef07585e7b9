#include <memory>
#include <utility>

#include "controller/plugin/output.hpp"
#include "controller/plugin/removal_tree.hpp"
#include "controller/plugin/terminal.hpp"
#include "controller/plugin/verbs.hpp"
#include "controller/plugin/view.hpp"
#include "controller/wall_clock.hpp"
#include "reconcilers/resources.hpp"

namespace plugin {
namespace {

namespace asio = boost::asio;

void show(const Session& session, const boost::json::object& object) {
  if (session.command.output != OutputFormat::Table) {
    return print_object(object, session.command.output);
  }
  const auto look = look_of_output(session.command.color);
  print(removal_tree(crd::node_removal_from_json(object), controller::wall_clock(), look), look);
}

/// A line view has said it all, the other two have nothing on the terminal that stays.
bool is_to_be_shown(const Session& session, const Followed& followed) {
  if (session.command.watch) return is_screen();
  return followed.end == FollowEnd::Reached || followed.end == FollowEnd::TimedOut;
}

}  // namespace

controller::ObjectRef removal_ref(const std::string& name) {
  return {reconcilers::resources::kNodeRemovals, {}, name};
}

int exit_code_of(const Interrupts& interrupts) { return 128 + interrupts.caught(); }

asio::awaitable<std::expected<boost::json::object, int>> read_removal(Session session) {
  auto object = co_await session.client.get(removal_ref(session.command.name));
  if (object) co_return *std::move(object);
  if (object.error().kind == controller::ErrorKind::NotFound) {
    co_return std::unexpected(complain(
        ExitCode::Error, "there is no NodeRemoval " + session.command.name + " in " +
                             session.cluster + "; kubectl noderemoval list shows those there are"));
  }
  co_return std::unexpected(complain(object.error()));
}

asio::awaitable<int> follow_to_end(Session session, boost::json::object object) {
  Interrupts interrupts{co_await asio::this_coro::executor};
  auto view = session.command.watch ? make_view(session.command.color) : std::make_unique<View>();
  FollowOptions options{
      .until = [](const crd::NodeRemoval& removal) { return removal.status.is_terminal(); },
      .timeout = session.command.timeout};
  const auto followed =
      co_await follow(session.client, std::move(object), std::move(options), *view, interrupts);
  view.reset();  // the terminal is as it was
  const auto removal = crd::node_removal_from_json(followed.object);
  const auto& name = removal.meta.name;
  if (is_to_be_shown(session, followed)) show(session, followed.object);
  switch (followed.end) {
    case FollowEnd::Reached:
      break;
    case FollowEnd::Gone:
      co_return complain(ExitCode::Gone, "NodeRemoval " + name + " was deleted, which cancels it");
    case FollowEnd::TimedOut:
      co_return complain(ExitCode::TimedOut, name + " is still under way");
    case FollowEnd::Interrupted:
      note("The removal goes on.  Status: kubectl noderemoval status " + name +
           "  Cancel: kubectl noderemoval cancel " + name);
      co_return exit_code_of(interrupts);
    case FollowEnd::Failed:
      co_return complain(ExitCode::Error, followed.error);
  }
  co_return number(exit_code_of_end(removal));
}

asio::awaitable<int> status(Session session) {
  auto object = co_await read_removal(session);
  if (!object) co_return object.error();
  if (session.command.watch || session.command.wait) {
    co_return co_await follow_to_end(session, *std::move(object));
  }
  show(session, *object);
  const auto removal = crd::node_removal_from_json(*object);
  co_return removal.status.is_terminal() ? number(exit_code_of_end(removal)) : 0;
}

}  // namespace plugin
