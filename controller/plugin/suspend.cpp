#include "controller/plugin/output.hpp"
#include "controller/plugin/removal_words.hpp"
#include "controller/plugin/verbs.hpp"

namespace plugin {

namespace asio = boost::asio;

asio::awaitable<int> suspend(Session session) {
  const auto& command = session.command;
  const bool value = command.verb == Verb::Suspend;
  const auto object = co_await read_removal(session);
  if (!object) co_return object.error();
  const auto removal = crd::node_removal_from_json(*object);
  if (removal.status.is_terminal()) {
    co_return complain(ExitCode::Refused,
                       command.name + " has ended already (" + status_word(removal) + ")");
  }
  const auto patched = co_await session.client.patch(
      removal_ref(command.name), "",
      {{"metadata", boost::json::object{{"uid", removal.meta.uid}}},  // this one, not a successor
       {"spec", boost::json::object{{"suspend", value}}}});
  if (!patched) co_return complain(patched.error());
  if (const auto manager = manager_of(removal); !manager.empty()) {
    note("It is managed by " + manager + ", which may set it back: say spec.suspend: " +
         (value ? "true" : "false") + " in Git as well.");
  }
  if (command.output != OutputFormat::Table) {
    print_object(*patched, command.output);
  } else {
    print("noderemoval.noderemoval.dev/" + command.name + (value ? " suspended\n" : " resumed\n"));
  }
  co_return 0;
}

}  // namespace plugin
