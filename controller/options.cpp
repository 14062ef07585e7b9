#include "controller/options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "controller/arguments.hpp"
#include "controller/listen_address.hpp"
#include "controller/resource.hpp"

namespace {

template <typename Number>
void add_number(CLI::App& app, const std::string& name, Number& target, std::int64_t low,
                std::int64_t high, const std::string& help) {
  app.add_option(name, target, help)
      ->check(CLI::Range(low, high))
      ->check(wrong_with_number)
      ->capture_default_str();
}

/// A whole number of seconds in [low, high].
void add_seconds(CLI::App& app, const std::string& name, std::chrono::seconds& target,
                 std::int64_t low, std::int64_t high, const std::string& help) {
  app.add_option_function<std::int64_t>(
         name, [&target](const std::int64_t& value) { target = std::chrono::seconds{value}; }, help)
      ->check(CLI::Range(low, high))
      ->check(wrong_with_number)
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

/// An address to listen on; "" switches it off.
void add_address(CLI::App& app, const std::string& name,
                 std::optional<controller::ListenAddress>& target, const std::string& help) {
  app.add_option_function<std::string>(
         name,
         [&target](const std::string& value) {
           target.reset();
           if (!value.empty()) target = *controller::parse_listen_address(value);
         },
         help)
      ->check([](const std::string& value) {
        if (value.empty()) return std::string();
        const auto parsed = controller::parse_listen_address(value);
        return parsed ? std::string() : parsed.error();
      })
      ->default_str(target->str());
}

bool is_dns_label(std::string_view text) {
  const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !text.empty() && text.size() <= 63 && allowed(text.front()) && allowed(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return allowed(c) || c == '-'; });
}

std::string wrong_with_namespace(const std::string& value) {
  if (is_dns_label(value)) return {};
  return "\"" + value + "\" is not a namespace: 1 to 63 characters of a-z, 0-9 and -";
}

std::string wrong_with_pod(const std::string& value) {
  const auto slash = value.find('/');
  const bool split = slash != std::string::npos;
  if (split && is_dns_label(value.substr(0, slash)) &&
      controller::Name::parse(value.substr(slash + 1))) {
    return {};
  }
  return "\"" + value + "\" is not namespace/name of a pod";
}

/// What no single option can see. Empty when all is well.
std::string wrong_with(const controller::EndpointOptions& options) {
  const bool certificate = !options.metrics_certificate_file.empty();
  if (certificate != !options.metrics_key_file.empty()) {
    return "--metrics-tls-cert-file and --metrics-tls-key-file belong together: give both or none";
  }
  if (certificate && options.metrics_insecure) {
    return "--metrics-insecure contradicts --metrics-tls-cert-file: give one of them";
  }
  if (!options.metrics || options.metrics->is_loopback() || certificate ||
      options.metrics_insecure) {
    return {};
  }
  return "--metrics-address: " + options.metrics->str() +
         " is not a loopback address, so others could read the metrics: give "
         "--metrics-tls-cert-file and --metrics-tls-key-file (then a bearer token is asked for), "
         "or --metrics-insecure to let everybody read them";
}

}  // namespace

std::expected<Options, EarlyExit> parse_options(int argc, const char* const* argv) {
  Options options;
  CLI::App app{"Removes nodes from a Kubernetes cluster safely, as NodeRemoval objects ask for it.",
               "noderemoval"};
  app.set_version_flag("--version", "noderemoval " NODEREMOVAL_VERSION);
  app.footer(
      "The same program cleans a machine that has left its cluster (noderemoval host-cleanup "
      "--help)\nand is a plugin of kubectl under the name kubectl-noderemoval.");
  app.add_option(
      "--kubeconfig", options.kube_config.kubeconfig,
      "Kubeconfig file; without it $KUBECONFIG, the files of the pod, then ~/.kube/config");
  app.add_option("--context", options.kube_config.context,
                 "Context of the kubeconfig; without it its current-context");
  app.add_flag("--insecure-skip-tls-verify", options.kube_config.insecure_allowed,
               "Accept a kubeconfig with insecure-skip-tls-verify: true, whose API server is not "
               "verified and can be anybody")
      ->check(wrong_with_flag);
  add_number(app, "--workers", options.workers, 1, 256,
             "Removals that are worked on at the same time");
  add_number(app, "--max-connections", options.client.max_connections, 1, 64,
             "Connections to the API server beside watches");
  add_number(app, "--deletions-per-second", options.client.deletions_per_second, 1, 10000,
             "Evictions and deletions per second on average, of all removals together (after a "
             "pause three times as many at once)");
  add_seconds(app, "--settle", options.policy.settle, 1, 3600,
              "Seconds after the cordon before which a Node is never deleted");
  add_seconds(app, "--overdue-margin", options.policy.overdue_margin, 1, 86400,
              "Seconds after its grace period from which a terminating pod counts as stuck");
  add_seconds(app, "--leftovers-timeout", options.policy.leftovers_timeout, 1, 86400,
              "Seconds to wait for what a deleted Node leaves behind");
  add_number(
      app, "--min-healthy", options.policy.min_healthy_percent, 0, 100,
      "Percentage of Ready nodes at or below which, with 3 or more nodes NotReady, nothing is "
      "forced and no Node is deleted");
  add_number(app, "--max-concurrent-removals", options.policy.max_concurrent_removals, 0, 1000,
             "Removals that are under way at the same time in the cluster (0 = no limit)");
  app.add_option("--namespace", options.policy.own_namespace,
                 "Namespace of the operator, in which it keeps the record of removed nodes")
      ->envname("POD_NAMESPACE")
      ->check(wrong_with_namespace)
      ->capture_default_str();
  app.add_option("--own-pod", options.policy.own_pod,
                 "namespace/name of the pod that the operator runs in; it leaves its node last")
      ->envname("NODEREMOVAL_OWN_POD")
      ->check(wrong_with_pod);
  app.add_option("--host-cleanup-namespace", options.policy.host_cleanup_namespace,
                 "Namespace of the pods that hand the cleaning of a machine over to it; without it "
                 "no machine is cleaned")
      ->check(wrong_with_namespace);
  app.add_option("--host-cleanup-image", options.policy.host_cleanup_image,
                 "Image of those pods: that of the operator");
  app.add_option("--host-cleanup-allow-image", options.policy.host_cleanup_allowed_images,
                 "Another image that a NodeRemoval may name for them; it is root on the machine. "
                 "May be repeated")
      ->expected(1)
      ->take_all();
  app.add_flag("--leader-elect", options.leader_elect,
               "Act only while holding the Lease, so that several replicas can run (default: true)")
      ->check(wrong_with_flag)
      ->default_str("true");
  auto& lease = options.leader_election.durations;
  add_seconds(app, "--leader-elect-lease-duration", lease.lease, 2, 3600,
              "Seconds after which others may take a Lease that was not renewed");
  add_seconds(app, "--leader-elect-renew-deadline", lease.renew_deadline, 1, 3599,
              "Seconds after which a leader that could not renew its Lease ends");
  add_seconds(app, "--leader-elect-retry-period", lease.retry, 1, 600,
              "Seconds between two attempts to get or renew the Lease");
  add_address(app, "--health-address", options.endpoints.health,
              "IP:port of /healthz and /readyz (:port = all addresses, empty = off)");
  add_address(app, "--metrics-address", options.endpoints.metrics,
              "IP:port of /metrics (:port = all addresses, empty = off)");
  app.add_option(
      "--metrics-tls-cert-file", options.endpoints.metrics_certificate_file,
      "Certificate of the metrics address, read again when it changes. With it every "
      "request needs the bearer token of a user who may get the nonResourceURL /metrics");
  app.add_option("--metrics-tls-key-file", options.endpoints.metrics_key_file,
                 "Key of that certificate");
  app.add_flag("--metrics-insecure", options.endpoints.metrics_insecure,
               "Serve the metrics to everybody, without TLS, on an address that is not loopback")
      ->check(wrong_with_flag);
  add_seconds(app, "--shutdown-timeout", options.shutdown_timeout, 1, 3600,
              "Seconds that running work is given to end after SIGTERM");
  const std::map<std::string, controller::LogLevel> levels{
      {"debug", controller::LogLevel::Debug},
      {"info", controller::LogLevel::Info},
      {"warning", controller::LogLevel::Warning},
      {"error", controller::LogLevel::Error}};
  app.add_option("--log-level", options.log_level, "debug, info, warning or error")
      ->transform(CLI::CheckedTransformer(levels, CLI::ignore_case))
      ->default_str("info");
  const std::map<std::string, controller::LogFormat> formats{{"text", controller::LogFormat::Text},
                                                             {"json", controller::LogFormat::Json}};
  app.add_option("--log-format", options.log_format, "text or json")
      ->transform(CLI::CheckedTransformer(formats, CLI::ignore_case))
      ->default_str("text");
  if (auto early = parse_arguments(app, argc, argv)) return std::unexpected(*std::move(early));
  if (const auto problem = problem_with(lease); !problem.empty()) {
    return std::unexpected(EarlyExit{2, problem + "\n"});
  }
  options.leader_election.ns = options.policy.own_namespace;
  options.leader_election.identity = controller::make_identity();
  if (const auto wrong = wrong_with(options.endpoints); !wrong.empty()) {
    return std::unexpected(usage_error(wrong));
  }
  return options;
}
