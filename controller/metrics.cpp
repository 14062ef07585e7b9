#include "controller/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <iterator>

#include "controller/http_date.hpp"
#include "controller/log.hpp"
#include "controller/process_metrics.hpp"

namespace controller {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;
using prometheus::Registry;

constexpr auto kName = "noderemoval";

double seconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

Family<Counter>& counters(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
Family<Gauge>& gauges(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
Family<Histogram>& histograms(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

// workqueue.go of controller-runtime: prometheus.ExponentialBuckets(10e-9, 10, 12).
Buckets queue_buckets() {
  return {1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1, 10, 100, 1000};
}

// pkg/internal/controller/metrics/metrics.go of controller-runtime.
Buckets reconcile_buckets() {
  return {0.005, 0.01, 0.025, 0.05, 0.1,  0.15, 0.2,  0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.6,
          0.7,   0.8,  0.9,   1,    1.25, 1.5,  1.75, 2,    2.5, 3,    3.5, 4,    4.5, 5,
          6,     7,    8,     9,    10,   15,   20,   25,   30,  40,   50,  60};
}

// pkg/metrics/client_go_adapter.go of controller-runtime.
Buckets request_buckets() { return {0.005, 0.025, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60}; }

Counter& result_counter(Registry& registry, const std::string& controller, const char* result) {
  return counters(registry, "controller_runtime_reconcile_total",
                  "Total number of reconciliations per controller")
      .Add({{"controller", controller}, {"result", result}});
}

}  // namespace

QueueMetrics::QueueMetrics(Registry& registry, const std::string& name, Now now)
    : now_(now),
      depth_(
          gauges(registry, "workqueue_depth", "Current depth of workqueue").Add({{"name", name}})),
      adds_(counters(registry, "workqueue_adds_total", "Total number of adds handled by workqueue")
                .Add({{"name", name}})),
      retries_(counters(registry, "workqueue_retries_total",
                        "Total number of retries handled by workqueue")
                   .Add({{"name", name}})),
      wait_(histograms(registry, "workqueue_queue_duration_seconds",
                       "How long in seconds an item stays in workqueue before being requested")
                .Add({{"name", name}}, queue_buckets())),
      work_(histograms(registry, "workqueue_work_duration_seconds",
                       "How long in seconds processing an item from workqueue takes.")
                .Add({{"name", name}}, queue_buckets())),
      unfinished_(gauges(registry, "workqueue_unfinished_work_seconds",
                         "How many seconds of work has been done that is in progress and hasn't "
                         "been observed by work_duration. Large values indicate stuck threads. One "
                         "can deduce the number of stuck threads by observing the rate at which "
                         "this increases.")
                      .Add({{"name", name}})),
      longest_(gauges(registry, "workqueue_longest_running_processor_seconds",
                      "How many seconds has the longest running processor for workqueue been "
                      "running.")
                   .Add({{"name", name}})) {}

void QueueMetrics::added(const std::string& key) {
  adds_.Increment();
  depth_.Increment();
  added_.emplace(key, now_());
}

void QueueMetrics::taken(const std::string& key) {
  depth_.Decrement();
  const auto now = now_();
  taken_[key] = now;
  const auto found = added_.find(key);
  if (found == added_.end()) return;
  wait_.Observe(seconds(now - found->second));
  added_.erase(found);
}

void QueueMetrics::done(const std::string& key) {
  const auto found = taken_.find(key);
  if (found == taken_.end()) return;
  work_.Observe(seconds(now_() - found->second));
  taken_.erase(found);
}

void QueueMetrics::delayed() { retries_.Increment(); }

void QueueMetrics::before_scrape() {
  const auto now = now_();
  double sum = 0;
  double longest = 0;
  for (const auto& [key, since] : taken_) {
    sum += seconds(now - since);
    longest = std::max(longest, seconds(now - since));
  }
  unfinished_.Set(sum);
  longest_.Set(longest);
}

ReconcileMetrics::ReconcileMetrics(Registry& registry, const std::string& controller)
    : success_(result_counter(registry, controller, "success")),
      requeue_after_(result_counter(registry, controller, "requeue_after")),
      error_(result_counter(registry, controller, "error")),
      errors_(counters(registry, "controller_runtime_reconcile_errors_total",
                       "Total number of reconciliation errors per controller")
                  .Add({{"controller", controller}})),
      time_(histograms(registry, "controller_runtime_reconcile_time_seconds",
                       "Length of time per reconciliation per controller")
                .Add({{"controller", controller}}, reconcile_buckets())),
      workers_(gauges(registry, "controller_runtime_max_concurrent_reconciles",
                      "Maximum number of concurrent reconciles per controller")
                   .Add({{"controller", controller}})),
      active_(gauges(registry, "controller_runtime_active_workers",
                     "Number of currently used workers per controller")
                  .Add({{"controller", controller}})) {
  // As controller-runtime does; this version has no result "requeue".
  result_counter(registry, controller, "requeue");
}

void ReconcileMetrics::set_workers(std::size_t workers) {
  workers_.Set(static_cast<double>(workers));
}

void ReconcileMetrics::ended(ReconcileOutcome outcome, std::chrono::nanoseconds duration) {
  time_.Observe(seconds(duration));
  switch (outcome) {
    case ReconcileOutcome::Success:
      success_.Increment();
      break;
    case ReconcileOutcome::RequeueAfter:
      requeue_after_.Increment();
      break;
    case ReconcileOutcome::Error:
      error_.Increment();
      errors_.Increment();
      break;
  }
}

ReconcileMetrics::Busy::Busy(ReconcileMetrics* metrics) : metrics_(metrics) {
  if (metrics_ != nullptr) metrics_->active_.Increment();
}

ReconcileMetrics::Busy::~Busy() {
  if (metrics_ != nullptr) metrics_->active_.Decrement();
}

RestClientMetrics::RestClientMetrics(Registry& registry, std::string host)
    : host_(std::move(host)),
      requests_(counters(registry, "rest_client_requests_total",
                         "Number of HTTP requests, partitioned by status code, method, and host.")),
      durations_(histograms(registry, "rest_client_request_duration_seconds",
                            "Request latency in seconds. Broken down by verb, and host.")),
      clock_offset_(gauges(registry, "noderemoval_server_clock_offset_seconds",
                           "Clock of the API server minus ours, when it answered last. Its answers "
                           "name whole seconds.")
                        .Add({})) {
  for (const char* method : {"GET", "POST", "PATCH", "DELETE"}) of(method);
}

RestClientMetrics::Method& RestClientMetrics::of(std::string_view method) {
  const auto found = std::ranges::find(methods_, method, &Method::name);
  if (found != methods_.end()) return *found;
  Method added;
  added.name = method;
  added.duration = &durations_.Add({{"verb", added.name}, {"host", host_}}, request_buckets());
  return methods_.emplace_back(std::move(added));
}

void RestClientMetrics::answered(std::string_view method, int status,
                                 std::chrono::nanoseconds duration) {
  if (status < 100 || status > 599) status = 0;
  auto& its = of(method);
  its.duration->Observe(seconds(duration));
  const auto seen =
      std::ranges::find(its.by_status, status, [](const auto& entry) { return entry.first; });
  if (seen != its.by_status.end()) return seen->second->Increment();
  const auto code = status == 0 ? std::string("<error>") : std::to_string(status);
  auto& counter = requests_.Add({{"code", code}, {"method", its.name}, {"host", host_}});
  its.by_status.emplace_back(status, &counter);
  counter.Increment();
}

void RestClientMetrics::server_said_date(const std::string& date, crd::TimePoint now) {
  server_date_ = date;
  server_date_came_ = now;
}

void RestClientMetrics::before_scrape() {
  const auto date = parse_http_date(server_date_);
  if (date) clock_offset_.Set(seconds(*date - server_date_came_));
}

Metrics::Metrics(const std::string& server)
    : registry_(std::make_unique<Registry>()),
      queue_(std::make_unique<QueueMetrics>(*registry_, kName)),
      reconciles_(std::make_unique<ReconcileMetrics>(*registry_, kName)),
      rest_client_(std::make_unique<RestClientMetrics>(*registry_, server)),
      leading_(gauges(*registry_, "leader_election_master_status",
                      "Gauge of if the reporting system is master of the relevant lease, 0 "
                      "indicates backup, 1 indicates master. 'name' is the string used to identify "
                      "the lease. Please make sure to group by name.")),
      log_lines_dropped_(counters(*registry_, "noderemoval_log_lines_dropped_total",
                                  "Log lines lost because nobody read the log.")
                             .Add({})) {
  gauges(*registry_, "noderemoval_build_info", "Constant 1, with the version.")
      .Add({{"version", NODEREMOVAL_VERSION}})
      .Set(1);
}

Metrics::~Metrics() = default;

void Metrics::set_leading(const std::string& name, bool leads) {
  leading_.Add({{"name", name}}).Set(leads ? 1 : 0);
}

void Metrics::add_at_scrape(std::function<std::vector<prometheus::MetricFamily>()> more) {
  at_scrape_.push_back(std::move(more));
}

std::string Metrics::text() {
  queue_->before_scrape();
  rest_client_->before_scrape();
  log_lines_dropped_.Increment(static_cast<double>(dropped_log_lines()) -
                               log_lines_dropped_.Value());
  auto families = registry_->Collect();
  std::ranges::move(process_metrics(), std::back_inserter(families));
  for (const auto& more : at_scrape_) std::ranges::move(more(), std::back_inserter(families));
  std::ranges::sort(families, {}, &prometheus::MetricFamily::name);
  return prometheus::TextSerializer{}.Serialize(families);
}

}  // namespace controller
