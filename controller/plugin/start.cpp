#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <string>
#include <utility>

#include "controller/plugin/manifest.hpp"
#include "controller/plugin/output.hpp"
#include "controller/plugin/removal_words.hpp"
#include "controller/plugin/text.hpp"
#include "controller/plugin/verbs.hpp"
#include "reconcilers/resources.hpp"

namespace plugin {
namespace {

namespace asio = boost::asio;
using reconcilers::resources::kNodeRemovals;
using reconcilers::resources::kNodes;

/// What is about to happen, as a question to somebody at a terminal.
std::string question(const Session& session, const RemovalFlags& flags) {
  const bool one = flags.selector.empty();
  auto text = one ? "Node " + flags.node : "Every node with " + flags.selector;
  if (one && !flags.node_uid.empty()) text += " (uid " + flags.node_uid + ")";
  text += " of " + session.cluster;
  text += flags.no_delete ? " is cordoned and drained." : " is drained, and its Node deleted.";
  if (flags.fenced) text += " You say that the machine is off.";
  return text + " To go on, type " + (one ? "the name of the node: " : "the selector: ");
}

bool confirm(const Session& session, const RemovalFlags& flags) {
  std::fflush(stdout);
  std::fputs(clean(question(session, flags)).c_str(), stderr);
  std::string answer;
  std::getline(std::cin, answer);
  if (!std::cin) std::fputc('\n', stderr);
  return answer == (flags.selector.empty() ? flags.node : flags.selector);
}

/// Pins the node as it is now, so that this very one is removed. An exit code when there is none.
asio::awaitable<int> pin(Session& session, RemovalFlags& flags) {
  if (flags.node.empty() || !flags.node_uid.empty()) co_return 0;
  const auto node = co_await session.client.get({kNodes, {}, flags.node});
  if (node) {
    flags.node_uid = crd::object_meta_from_json(*node).uid;
    co_return 0;
  }
  // Who may remove nodes need not be allowed to read them.
  if (node.error().kind == controller::ErrorKind::Forbidden) co_return 0;
  if (node.error().kind != controller::ErrorKind::NotFound) co_return complain(node.error());
  co_return complain(ExitCode::Error, "there is no node " + flags.node + " in " + session.cluster);
}

/// The name is taken: by what.
asio::awaitable<int> complain_of_existing(Session& session, const std::string& name) {
  const auto found = co_await session.client.get(removal_ref(name));
  if (!found) co_return complain(found.error());
  const auto removal = crd::node_removal_from_json(*found);
  const bool ended = removal.status.is_terminal();
  co_return complain(ExitCode::Error,
                     "NodeRemoval " + name + " exists already (" + status_word(removal) + "). " +
                         (ended ? "It has ended: kubectl noderemoval cancel " + name +
                                      " deletes it; or give this one another --name"
                                : "See: kubectl noderemoval status " + name));
}

}  // namespace

asio::awaitable<int> start(Session session) {
  const auto& command = session.command;
  auto flags = command.removal;
  const bool asks = !command.yes && command.dry_run == DryRun::None;
  if (asks && ::isatty(STDIN_FILENO) == 0) {
    co_return complain(ExitCode::Refused, "there is no terminal to ask at: give --yes to remove " +
                                              (flags.node.empty() ? flags.selector : flags.node));
  }
  if (const int wrong = co_await pin(session, flags); wrong != 0) co_return wrong;
  if (asks && !confirm(session, flags)) {
    co_return complain(ExitCode::Refused, "not confirmed, nothing was done");
  }
  auto object = manifest(flags);
  const auto name = crd::object_meta_from_json(object).name;
  auto created = co_await session.client.create({kNodeRemovals, {}}, std::move(object));
  if (!created) {
    if (created.error().kind == controller::ErrorKind::Conflict) {
      co_return co_await complain_of_existing(session, name);
    }
    co_return complain(created.error());
  }
  if (command.output != OutputFormat::Table) {
    print_object(*std::move(created), command.output);
    co_return 0;
  }
  if (command.watch) co_return co_await follow_to_end(session, *std::move(created));
  const bool dry_run = command.dry_run == DryRun::Server;
  print("noderemoval.noderemoval.dev/" + name + " created" + (dry_run ? " (server dry run)" : "") +
        "\n");
  if (!dry_run) note("Follow it: kubectl noderemoval status " + name + " --watch");
  co_return 0;
}

}  // namespace plugin
