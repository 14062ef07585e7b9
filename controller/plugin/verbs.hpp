#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "controller/kube_client.hpp"
#include "controller/plugin/command_line.hpp"
#include "controller/plugin/exit_code.hpp"
#include "controller/plugin/follow.hpp"
#include "controller/plugin/interrupts.hpp"
#include "controller/resource.hpp"

namespace plugin {

/// What a verb works with.
struct Session {
  const Command& command;
  controller::KubeClient& client;
  std::string cluster;  ///< for questions: "https://host:port (kubeconfig x, context y)"
};

/// Each prints what it has found, and complaints, and returns the exit code; 128 and more when it
/// was interrupted.
boost::asio::awaitable<int> plan(Session session);
boost::asio::awaitable<int> start(Session session);
boost::asio::awaitable<int> status(Session session);
boost::asio::awaitable<int> list(Session session);
boost::asio::awaitable<int> cancel(Session session);
/// Both suspend and resume.
boost::asio::awaitable<int> suspend(Session session);

controller::ObjectRef removal_ref(const std::string& name);

/// The NodeRemoval that the command names, or the exit code of the complaint.
boost::asio::awaitable<std::expected<boost::json::object, int>> read_removal(Session session);

/// Follows the removal to its end, as --watch and --wait want, and prints that.
boost::asio::awaitable<int> follow_to_end(Session session, boost::json::object object);

/// 130 after ctrl-c.
int exit_code_of(const Interrupts& interrupts);

}  // namespace plugin
