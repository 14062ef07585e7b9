#include "controller/options.hpp"

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <sstream>

namespace {

/// A whole number of seconds in [low, high].
void add_seconds(CLI::App& app, const std::string& name, std::chrono::seconds& target,
                 std::int64_t low, std::int64_t high, const std::string& help) {
  app.add_option_function<std::int64_t>(
         name, [&target](const std::int64_t& value) { target = std::chrono::seconds{value}; }, help)
      ->check(CLI::Range(low, high))
      ->default_str(std::to_string(target.count()));
}

/// The rules of client-go: a holder has to have stopped before others start, and has to have had
/// more than one attempt.
std::string problem_with(const controller::LeaseDurations& lease) {
  if (lease.lease <= lease.renew_deadline) {
    return "--leader-elect-lease-duration must be longer than --leader-elect-renew-deadline";
  }
  if (lease.renew_deadline * 5 <= lease.retry * 6) {
    return "--leader-elect-renew-deadline must be longer than 1.2 times "
           "--leader-elect-retry-period";
  }
  return {};
}

}  // namespace

std::expected<Options, EarlyExit> parse_options(int argc, const char* const* argv) {
  Options options;
  CLI::App app{"Removes nodes from a Kubernetes cluster safely, as NodeRemoval objects ask for it.",
               "noderemoval"};
  app.set_version_flag("--version", "noderemoval " NODEREMOVAL_VERSION);
  app.add_option(
      "--kubeconfig", options.kube_config.kubeconfig,
      "Kubeconfig file; without it $KUBECONFIG, the files of the pod, then ~/.kube/config");
  app.add_option("--context", options.kube_config.context,
                 "Context of the kubeconfig; without it its current-context");
  app.add_flag("--insecure-skip-tls-verify", options.kube_config.insecure_allowed,
               "Accept a kubeconfig with insecure-skip-tls-verify: true, whose API server is not "
               "verified and can be anybody");
  app.add_option("--workers", options.workers, "Removals that are worked on at the same time")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  app.add_option("--max-connections", options.client.max_connections,
                 "Connections to the API server beside watches")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  add_seconds(app, "--settle", options.policy.settle, 1, 3600,
              "Seconds after the cordon before which a Node is never deleted");
  add_seconds(app, "--overdue-margin", options.policy.overdue_margin, 1, 86400,
              "Seconds after its grace period from which a terminating pod counts as stuck");
  add_seconds(app, "--leftovers-timeout", options.policy.leftovers_timeout, 1, 86400,
              "Seconds to wait for what a deleted Node leaves behind");
  app.add_option(
         "--min-healthy", options.policy.min_healthy_percent,
         "Percentage of Ready nodes at or below which, with 3 or more nodes NotReady, nothing is "
         "forced and no Node is deleted")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  app.add_option("--max-concurrent-removals", options.policy.max_concurrent_removals,
                 "Removals that are under way at the same time in the cluster (0 = no limit)")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("--namespace", options.policy.own_namespace,
                 "Namespace of the operator, in which it keeps the record of removed nodes")
      ->envname("POD_NAMESPACE")
      ->capture_default_str();
  app.add_option("--own-pod", options.policy.own_pod,
                 "namespace/name of the pod that the operator runs in; it leaves its node last")
      ->envname("NODEREMOVAL_OWN_POD");
  app.add_flag("--leader-elect", options.leader_elect,
               "Act only while holding the Lease, so that several replicas can run (default: true)")
      ->default_str("true");
  auto& lease = options.leader_election.durations;
  add_seconds(app, "--leader-elect-lease-duration", lease.lease, 2, 3600,
              "Seconds after which others may take a Lease that was not renewed");
  add_seconds(app, "--leader-elect-renew-deadline", lease.renew_deadline, 1, 3599,
              "Seconds after which a leader that could not renew its Lease ends");
  add_seconds(app, "--leader-elect-retry-period", lease.retry, 1, 600,
              "Seconds between two attempts to get or renew the Lease");
  const std::map<std::string, controller::LogLevel> levels{
      {"debug", controller::LogLevel::Debug},
      {"info", controller::LogLevel::Info},
      {"warning", controller::LogLevel::Warning},
      {"error", controller::LogLevel::Error}};
  app.add_option("--log-level", options.log_level, "debug, info, warning or error")
      ->transform(CLI::CheckedTransformer(levels, CLI::ignore_case))
      ->default_str("info");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const bool usage_error = app.exit(error, out, err) != 0;
    return std::unexpected(EarlyExit{usage_error ? 2 : 0, out.str() + err.str()});
  }
  if (const auto problem = problem_with(lease); !problem.empty()) {
    return std::unexpected(EarlyExit{2, problem + "\n"});
  }
  options.leader_election.ns = options.policy.own_namespace;
  options.leader_election.identity = controller::make_identity();
  return options;
}
