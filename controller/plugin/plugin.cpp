#include "controller/plugin/plugin.hpp"

#include <CLI/CLI.hpp>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "controller/arguments.hpp"
#include "controller/http_kube_client.hpp"
#include "controller/log.hpp"
#include "controller/no_core_dump.hpp"
#include "controller/plugin/command_line.hpp"
#include "controller/plugin/completion.hpp"
#include "controller/plugin/manifest.hpp"
#include "controller/plugin/output.hpp"
#include "controller/plugin/text.hpp"
#include "controller/plugin/verbs.hpp"
#include "reconcilers/resources.hpp"

namespace plugin {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr std::string_view kName = "kubectl-noderemoval";
constexpr std::string_view kCompletionName = "kubectl_complete-noderemoval";

std::string_view base_name(int argc, const char* const* argv) {
  if (argc < 1) return {};
  const std::string_view path{argv[0]};
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

/// kubectl in a pod prefers ~/.kube/config to the files of the pod, which are those of another
/// cluster in many a CI job.
controller::KubeConfigSource source_of(const Connection& connection) {
  auto source = connection.kube_config;
  const auto set = [](const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view{} : std::string_view{value};
  };
  if (!source.kubeconfig.empty() || !set("KUBECONFIG").empty() || set("HOME").empty()) {
    return source;
  }
  const auto file = fs::path{set("HOME")} / ".kube" / "config";
  std::error_code error;
  if (fs::exists(file, error)) source.kubeconfig = file;
  return source;
}

controller::ClientOptions client_options(const Command& command) {
  controller::ClientOptions options;
  options.user_agent = std::string{kName} + "/" + NODEREMOVAL_VERSION;
  options.field_manager = kName;
  options.as_user = command.connection.as_user;
  options.as_groups = command.connection.as_groups;
  options.dry_run = command.dry_run == DryRun::Server;
  if (const auto limit = command.connection.request_timeout) {
    options.connect_timeout = options.read_timeout = *limit;
    options.list_timeout = options.write_timeout = *limit;
  }
  return options;
}

asio::awaitable<int> carry_out(const Session& session) {
  switch (session.command.verb) {
    case Verb::Plan:
      return plan(session);
    case Verb::Start:
      return start(session);
    case Verb::Status:
      return status(session);
    case Verb::Cancel:
      return cancel(session);
    case Verb::Suspend:
    case Verb::Resume:
      return suspend(session);
    case Verb::List:
    case Verb::Version:
    case Verb::Completion:
      break;
  }
  return list(session);
}

int run_in_cluster(const Command& command) {
  controller::forbid_core_dumps();  // they would hold credentials
  const auto config = controller::load_kube_config(source_of(command.connection));
  if (!config) return complain(ExitCode::Error, config.error());
  asio::io_context io{1};
  const auto client = controller::make_http_kube_client(*config, client_options(command));
  const Session session{
      .command = command,
      .client = *client,
      .cluster = "https://" + config->host + ":" + config->port + " (" + config->source + ")"};
  int code = number(ExitCode::Error);
  std::exception_ptr failure;
  asio::co_spawn(io, carry_out(session), [&](const std::exception_ptr& error, int result) {
    failure = error;
    if (!error) code = result;
  });
  io.run();
  if (failure) std::rethrow_exception(failure);
  return code;
}

/// Names of all objects of the kind; none when that does not work.
std::vector<std::string> names_in_cluster(const Command& command,
                                          const controller::Resource& resource) {
  std::vector<std::string> names;
  const auto config = controller::load_kube_config(source_of(command.connection));
  if (!config) return names;
  asio::io_context io{1};
  auto options = client_options(command);
  options.connect_timeout = 2s;  // somebody has pressed Tab and waits
  options.list_timeout = 5s;
  const auto client = controller::make_http_kube_client(*config, options);
  constexpr static std::array<std::string_view, 1> kFields{"metadata|name"};
  controller::ListRequest request{.collection = {resource, {}}, .fields = kFields};
  request.on_item = [&](boost::json::object&& item) {
    names.push_back(clean(crd::object_meta_from_json(item).name));
  };
  asio::co_spawn(io, client->list(std::move(request)),
                 [](const std::exception_ptr&, const auto&) {});
  io.run();
  return names;
}

/// The connection that the words name as far as they are there; the rest may be unfinished.
Command connection_of(const std::vector<std::string>& words) {
  Command command;
  CLI::App app{"", ""};
  describe(app, command);
  std::vector<const char*> arguments{""};
  for (std::size_t i = 0; i + 1 < words.size(); ++i) arguments.push_back(words[i].c_str());
  try {
    app.parse(arguments_of(static_cast<int>(arguments.size()), arguments.data()));
  } catch (const CLI::ParseError&) {
    return command;
  }
  return command;
}

int run_completion(const std::vector<std::string>& words) {
  controller::forbid_core_dumps();
  const auto command = connection_of(words);
  const auto names_of = [&](const controller::Resource& resource) {
    return [&command, resource] { return names_in_cluster(command, resource); };
  };
  print(complete(words, {.nodes = names_of(reconcilers::resources::kNodes),
                         .removals = names_of(reconcilers::resources::kNodeRemovals)}));
  return 0;
}

int run_command(const Command& command) {
  controller::set_log_level(command.verbose ? controller::LogLevel::Debug
                                            : controller::LogLevel::Error);
  if (command.verb == Verb::Version) {
    print("kubectl-noderemoval " NODEREMOVAL_VERSION "\n");
    return 0;
  }
  if (command.verb == Verb::Completion) {
    print(shell_script(command.shell));
    return 0;
  }
  if (command.verb == Verb::Start && command.dry_run == DryRun::Client) {
    const bool table = command.output == OutputFormat::Table;
    print_object(manifest(command.removal), table ? OutputFormat::Yaml : command.output);
    return 0;
  }
  return run_in_cluster(command);
}

}  // namespace

bool is_called(int argc, const char* const* argv) {
  const auto name = base_name(argc, argv);
  return name == kName || name == kCompletionName;
}

int run(int argc, const char* const* argv) {
  std::setlocale(LC_CTYPE, "");
  try {
    const bool hidden = argc > 1 && std::string_view{argv[1]} == "__complete";
    if (hidden || base_name(argc, argv) == kCompletionName) {
      return run_completion({argv + (hidden ? 2 : 1), argv + argc});
    }
    const auto command = parse_command_line(argc, argv);
    if (!command) {
      std::fputs(command.error().text.c_str(), command.error().code == 0 ? stdout : stderr);
      return command.error().code;
    }
    return run_command(*command);
  } catch (const std::exception& error) {
    // Something that the system has to give, such as a file descriptor.
    return complain(ExitCode::Error, error.what());
  }
}

}  // namespace plugin
