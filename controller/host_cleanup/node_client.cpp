#include "controller/host_cleanup/node_client.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>
#include <optional>
#include <utility>

#include "controller/http_kube_client.hpp"
#include "controller/kube_config.hpp"

namespace host_cleanup {
namespace {

namespace asio = boost::asio;
using Answer = controller::Result<boost::json::object>;

constexpr controller::Resource kNodes{"api/v1", "nodes", "Node", false};

Answer not_sent(std::string message) {
  controller::KubeError error;
  error.kind = controller::ErrorKind::NotSent;
  error.message = std::move(message);
  return std::unexpected(std::move(error));
}

/// `call` gives the awaitable of one request.
Answer ask(const std::filesystem::path& kubeconfig, const auto& call) {
  const auto config = controller::load_kube_config({.kubeconfig = kubeconfig, .context = {}});
  if (!config) return not_sent(config.error());
  controller::ClientOptions options;
  options.max_connections = 1;
  options.user_agent = "noderemoval-host-cleanup/" NODEREMOVAL_VERSION;
  options.field_manager = "noderemoval-host-cleanup";
  std::optional<Answer> answer;
  try {
    asio::io_context io{1};
    const auto client = controller::make_http_kube_client(*config, options);
    std::exception_ptr failure;
    asio::co_spawn(io, call(*client), [&](const std::exception_ptr& error, Answer result) {
      failure = error;
      if (!error) answer = std::move(result);
    });
    io.run();
    if (failure) std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    return not_sent(error.what());
  }
  return answer ? std::move(*answer) : not_sent("the request came to no end");
}

}  // namespace

Answer NodeClient::get() const {
  return ask(kubeconfig_, [&](controller::KubeClient& client) {
    return client.get({.resource = kNodes, .ns = {}, .name = name_});
  });
}

Answer NodeClient::annotate(const std::string& uid, std::string_view key,
                            const std::string& value) const {
  boost::json::object annotations{{key, value}};
  // With another UID the server refuses: a new Node of the same name must not be told of the old.
  boost::json::object patch{
      {"metadata", boost::json::object{{"uid", uid}, {"annotations", std::move(annotations)}}}};
  return ask(kubeconfig_, [&](controller::KubeClient& client) {
    return client.patch({.resource = kNodes, .ns = {}, .name = name_}, "", patch);
  });
}

}  // namespace host_cleanup
