#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <expected>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "controller/exec_credential.hpp"

namespace controller {

/// A program that prints credentials: `exec` of a user of a kubeconfig
/// (https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins).
struct ExecPlugin {
  std::string api_version;  ///< client.authentication.k8s.io/v1 or /v1beta1
  std::string command;      ///< a path, absolute, or a name that is looked for in $PATH
  std::vector<std::string> args;
  std::vector<std::pair<std::string, std::string>> env;  ///< in addition to ours
  std::string info;          ///< KUBERNETES_EXEC_INFO: what the plugin is told of the cluster
  std::string install_hint;  ///< for the message when the program is missing
};

/// Where the program is. Fails with a sentence that ends with the install hint.
std::expected<std::filesystem::path, std::string> find_program(const ExecPlugin& plugin);

/// Runs the plugin and reads what it prints, at most 1 MiB. After `timeout` it is killed with all
/// its children. Fails with a sentence that names the plugin and quotes the end of what it wrote to
/// standard error, without what looks like a secret. Cancelling (terminal) kills it too.
boost::asio::awaitable<std::expected<ExecCredential, std::string>> run_plugin(
    ExecPlugin plugin, std::chrono::milliseconds timeout);

}  // namespace controller
