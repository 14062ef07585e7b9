#include <fcntl.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "controller/endpoints.hpp"
#include "controller/host_cleanup/host_cleanup.hpp"
#include "controller/http_kube_client.hpp"
#include "controller/kube_config.hpp"
#include "controller/leader_election.hpp"
#include "controller/log.hpp"
#include "controller/log_sink.hpp"
#include "controller/metrics.hpp"
#include "controller/no_core_dump.hpp"
#include "controller/options.hpp"
#include "controller/plugin/plugin.hpp"
#include "controller/reconcile_loop.hpp"
#include "controller/shutdown.hpp"
#include "controller/small_file.hpp"
#include "controller/store.hpp"
#include "controller/task_group.hpp"
#include "controller/wall_clock.hpp"
#include "controller/watchdog.hpp"
#include "controller/watcher.hpp"
#include "controller/work_queue.hpp"
#include "crd/node_removal.hpp"
#include "reconcilers/node_removal_reconciler.hpp"
#include "reconcilers/removal_metrics.hpp"
#include "reconcilers/removal_series.hpp"
#include "reconcilers/resources.hpp"

namespace {

namespace asio = boost::asio;
using controller::log;
using controller::LogLevel;

/// Exit codes: 0 asked to stop, 1 cannot go on, 2 wrong usage or configuration.
constexpr int kCannotGoOn = 1;
constexpr int kBadConfiguration = 2;

asio::awaitable<void> watch_removals(controller::KubeClient& client,
                                     controller::Store<crd::NodeRemoval>& removals) {
  controller::WatcherOptions options{.collection = {reconcilers::resources::kNodeRemovals, {}},
                                     .from_cache = false};
  options.on_list_error = [&removals](const controller::KubeError& error) {
    // A server that was never trusted is a wrong configuration; one that was may be changing its
    // certificates.
    if (error.http_status == 404) {
      log(LogLevel::Error,
          "the CustomResourceDefinition noderemovals.noderemoval.dev is not installed; install it "
          "with: "
          "kubectl apply -k manifests");
    }
    if (error.tls_verification && !removals.synced()) throw std::runtime_error(error.message);
  };
  co_await controller::run_watcher(client, std::move(options), removals);
}

std::string what_is_missing(const controller::WorkQueue& queue,
                            const controller::Store<crd::NodeRemoval>& removals) {
  if (queue.stopped()) return "stopping";
  return removals.synced() ? "" : "the NodeRemovals have not been read yet, see the log";
}

/// The lease of the one replica that acts, kept over connections of its own.
class Leadership {
 public:
  Leadership(const Options& options, const controller::KubeConfig& config,
             controller::Metrics& metrics)
      : metrics_(metrics),
        name_(options.leader_election.name),
        client_(controller::make_http_kube_client(config, options_for_lease(options),
                                                  &metrics.rest_client())),
        election_(*client_, options.leader_election,
                  [this](controller::BootClock::time_point time) {
                    watchdog_.end_at(time + kTimeToSaySo);
                  }) {
    metrics_.set_leading(name_, false);
  }

  bool may_act() const { return election_.may_act(); }

  /// Ends when this replica may act; from then on `keeper` keeps it so. Ends the process when the
  /// lease is lost: nothing may be sent any more, not even to finish in order.
  asio::awaitable<void> begin(controller::TaskGroup& keeper) {
    co_await election_.acquire();
    metrics_.set_leading(name_, true);
    keeper.spawn(keep());
  }

  asio::awaitable<void> end() {
    co_await election_.release();
    metrics_.set_leading(name_, false);
    watchdog_.disarm();
  }

 private:
  static constexpr std::chrono::seconds kTimeToSaySo{1};

  static controller::ClientOptions options_for_lease(const Options& options) {
    auto client = options.client;
    const auto timeout = options.leader_election.durations.renew_deadline / 2;  // as client-go
    client.connect_timeout = client.read_timeout = client.write_timeout = timeout;
    client.max_connections = 1;
    return client;
  }

  asio::awaitable<void> keep() {
    co_await election_.hold();
    controller::flush_log(kTimeToSaySo / 2);
    std::_Exit(kCannotGoOn);
  }

  controller::Metrics& metrics_;
  std::string name_;
  controller::Watchdog watchdog_;
  std::unique_ptr<controller::KubeClient> client_;
  controller::LeaderElection election_;
};

struct Groups {
  controller::TaskGroup& keeper;   ///< of the lease
  controller::TaskGroup& tasks;    ///< watches and servers
  controller::TaskGroup& workers;  ///< what changes something
};

/// `leadership`: null when there is no election.
asio::awaitable<void> lead_and_work(Groups groups, Leadership* leadership,
                                    std::vector<asio::awaitable<void>> work) {
  if (leadership != nullptr) co_await leadership->begin(groups.keeper);
  for (auto& worker : work) groups.workers.spawn(std::move(worker));
  co_await controller::end_with(groups.workers, groups.tasks);
}

/// The lease is given up when nothing acts any more.
asio::awaitable<void> run_to_end(Groups groups, Leadership* leadership) {
  std::exception_ptr failure;
  try {
    co_await controller::join_all(groups.workers, groups.tasks);
  } catch (...) {
    failure = std::current_exception();
  }
  groups.keeper.cancel();
  co_await groups.keeper.join();
  if (leadership != nullptr) co_await leadership->end();
  if (failure) std::rethrow_exception(failure);
}

int run(Options options, const controller::KubeConfig& config) {
  asio::io_context io{1};
  const auto executor = io.get_executor();
  controller::Metrics metrics{config.host + ":" + config.port};
  reconcilers::RemovalMetrics removal_metrics{metrics.registry()};
  // Also a replica that does not lead may ask who may read its metrics.
  const auto reviews =
      controller::make_http_kube_client(config, options.client, &metrics.rest_client());
  std::optional<Leadership> leadership;
  if (options.leader_elect) {
    options.client.user_agent += " (" + options.leader_election.identity + ")";
    leadership.emplace(options, config, metrics);
    options.client.may_write = [&leadership, &removal_metrics] {
      const bool may = leadership->may_act();
      if (!may) removal_metrics.withheld(reconcilers::kWithheldNotLeader, 1);
      return may;
    };
  }
  const auto client =
      controller::make_http_kube_client(config, options.client, &metrics.rest_client());
  controller::WorkQueue queue{executor, &metrics.queue()};
  controller::Store<crd::NodeRemoval> removals{
      executor, crd::node_removal_from_json, [&](const crd::NodeRemoval& removal) {
        for (const auto& key : reconcilers::keys_of(removal)) queue.add(key);
      }};
  auto endpoints = controller::Endpoints::open(executor, options.endpoints, *reviews, metrics,
                                               [&] { return what_is_missing(queue, removals); });
  if (!endpoints) {
    log(LogLevel::Error, "cannot start", {{"error", endpoints.error()}});
    return kCannotGoOn;
  }
  controller::TaskGroup keeper{executor};
  controller::TaskGroup tasks{executor};
  controller::TaskGroup workers{executor};
  controller::WallClock clock;
  metrics.add_at_scrape([&] {
    const bool acts = !leadership || leadership->may_act();
    return reconcilers::gauges_of(acts ? reconcilers::removal_series(removals.items(),
                                                                     options.policy,
                                                                     controller::wall_clock())
                                       : reconcilers::no_removal_series());
  });
  reconcilers::NodeRemovalReconciler reconciler{{.executor = executor,
                                                 .client = *client,
                                                 .removals = removals,
                                                 .queue = queue,
                                                 .tasks = tasks,
                                                 .metrics = removal_metrics,
                                                 .policy = options.policy,
                                                 .clock = [&] { return clock.read(); }}};
  (*endpoints)->start(tasks);
  tasks.spawn(controller::stop_on_signal(queue, workers, tasks, options.shutdown_timeout));
  tasks.spawn(watch_removals(*client, removals));
  metrics.reconciles().set_workers(options.workers);
  const Groups groups{.keeper = keeper, .tasks = tasks, .workers = workers};
  auto* const leads = leadership ? &*leadership : nullptr;
  std::vector<asio::awaitable<void>> work;
  work.reserve(options.workers);
  for (std::size_t i = 0; i < options.workers; ++i)
    work.push_back(controller::run_worker(queue, reconciler, &metrics.reconciles()));
  tasks.spawn(lead_and_work(groups, leads, std::move(work)));

  std::exception_ptr failure;
  asio::co_spawn(executor, run_to_end(groups, leads),
                 [&](const std::exception_ptr& error) { failure = error; });
  io.run();
  if (!failure) {
    log(LogLevel::Info, "stopped");
    return 0;
  }
  try {
    std::rethrow_exception(failure);
  } catch (const std::exception& error) {
    log(LogLevel::Error, "cannot go on", {{"error", error.what()}});
  }
  return kCannotGoOn;
}

/// What opens next must not become standard error, or the log would be written into it.
void open_standard_files() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) != fd) return;
  }
}

/// Null, with a word on standard error, when no thread can be started.
std::unique_ptr<controller::LogSink> start_log_sink() {
  try {
    auto sink = std::make_unique<controller::LogSink>(STDERR_FILENO);
    sink->flush_on_abort();
    return sink;
  } catch (const std::system_error& error) {
    std::fprintf(stderr, "noderemoval: cannot start the thread that writes the log: %s\n",
                 error.what());
    return nullptr;
  }
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_files();
  if (plugin::is_called(argc, argv)) return plugin::run(argc, argv);
  if (host_cleanup::is_called(argc, argv)) return host_cleanup::run(argc, argv);
  const auto options = parse_options(argc, argv);
  if (!options) {
    std::fputs(options.error().text.c_str(), options.error().code == 0 ? stdout : stderr);
    return options.error().code;
  }
  controller::set_log_level(options->log_level);
  controller::set_log_format(options->log_format);
  std::signal(SIGPIPE, SIG_IGN);
  // Whoever started us may have blocked the signals that are to end us.
  sigset_t none;
  sigemptyset(&none);
  ::pthread_sigmask(SIG_SETMASK, &none, nullptr);
  controller::forbid_core_dumps();
  auto config = controller::load_kube_config(options->kube_config);
  if (!config) {
    std::fprintf(stderr, "noderemoval: %s\n", config.error().c_str());
    return kBadConfiguration;
  }
  const auto sink = start_log_sink();
  if (!sink) return kCannotGoOn;
  controller::set_log_sink(sink.get());
  log(LogLevel::Info, "noderemoval starts",
      {{"version", NODEREMOVAL_VERSION},
       {"server", config->host + ":" + config->port},
       {"config", config->source}});
  if (config->insecure_skip_tls_verify) {
    log(LogLevel::Warning,
        "the API server is not verified (insecure-skip-tls-verify): whoever can answer in its "
        "place gets our credentials",
        {{"server", config->host + ":" + config->port}});
  }
  for (const auto& file : config->files) {
    if (controller::is_readable_by_others(file)) {
      log(LogLevel::Warning,
          "not only its owner can read the kubeconfig, and with it our credentials: chmod go-rwx "
          "it",
          {{"kubeconfig", file.string()}});
    }
  }
  int code = kCannotGoOn;
  try {
    code = run(*options, *config);
  } catch (const std::exception& error) {
    // Something that the system has to give, such as a file descriptor.
    log(LogLevel::Error, "cannot start", {{"error", error.what()}});
  }
  controller::set_log_sink(nullptr);
  return code;
}
