#include "controller/exec_plugin.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "controller/child_process.hpp"
#include "controller/redact.hpp"

namespace controller {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

constexpr std::size_t kMaxOutput = 1024 * 1024;
constexpr std::size_t kMaxErrors = 8 * 1024;
constexpr std::size_t kMaxQuote = 1000;  // characters; the last ones say why it ended
constexpr const char* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

bool is_program(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0;
}

fs::path search(const std::string& name) {
  const auto* variable = std::getenv("PATH");
  const std::string list = variable != nullptr ? variable : kDefaultPath;
  for (std::size_t start = 0; start < list.size();) {
    const auto end = std::min(list.find(':', start), list.size());
    const fs::path folder = list.substr(start, end - start);
    start = end + 1;
    // Never from the folder that we happen to be in.
    if (folder.is_absolute() && is_program(folder / name)) return folder / name;
  }
  return {};
}

std::string quote(const ExecPlugin& plugin, const ChildResult& result) {
  auto secrets = named_secrets(plugin.env, plugin.args);
  if (const auto printed = parse_exec_credential(result.output, plugin.api_version)) {
    secrets.push_back(printed->token);
  }
  auto text = result.errors;
  // Half a word may be half a secret, which is not recognised.
  if (text.size() >= kMaxErrors) text.erase(0, std::min(text.find_first_of(" \n"), text.size()));
  text = redact_tokens(redact(std::move(text), secrets));
  if (text.size() > kMaxQuote) text = "..." + text.substr(text.size() - kMaxQuote);
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text.empty() ? "it wrote nothing to standard error" : "it wrote: " + text;
}

}  // namespace

std::expected<fs::path, std::string> find_program(const ExecPlugin& plugin) {
  const bool is_path = plugin.command.contains('/');
  fs::path path = is_path ? fs::path(plugin.command) : search(plugin.command);
  if (!path.empty() && is_program(path)) return path;
  return std::unexpected(fmt::format(
      "exec plugin {}: {}{}", plugin.command,
      is_path ? "there is no such program" : "there is no such program in $PATH",
      plugin.install_hint.empty() ? std::string() : "; to install it: " + plugin.install_hint));
}

asio::awaitable<std::expected<ExecCredential, std::string>> run_plugin(
    ExecPlugin plugin, std::chrono::milliseconds timeout) {
  const auto program = find_program(plugin);
  if (!program) co_return std::unexpected(program.error());
  ChildCommand command{*program, plugin.args, plugin.env};
  command.env.emplace_back("KUBERNETES_EXEC_INFO", plugin.info);
  ChildLimits limits{timeout, kMaxOutput, kMaxErrors};
  const auto result = co_await run_child(std::move(command), limits);
  if (!result) {
    co_return std::unexpected(
        fmt::format("exec plugin {} could not be started: {}", plugin.command, result.error()));
  }
  if (!result->failure.empty()) {
    co_return std::unexpected(fmt::format("exec plugin {} {}; {}", plugin.command, result->failure,
                                          quote(plugin, *result)));
  }
  auto credential = parse_exec_credential(result->output, plugin.api_version);
  if (credential) co_return credential;
  co_return std::unexpected(fmt::format("exec plugin {}: {}; {}", plugin.command,
                                        credential.error(), quote(plugin, *result)));
}

}  // namespace controller
