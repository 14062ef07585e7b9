#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crd/time.hpp"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
class Registry;
struct MetricFamily;
template <typename T>
class Family;
}  // namespace prometheus

namespace controller {

/// What client-go's workqueue says of itself, with its names and buckets. A key counts as added
/// when it is not waiting already, also while a worker has it.
class QueueMetrics {
 public:
  using Clock = std::chrono::steady_clock;
  using Now = Clock::time_point (*)();

  QueueMetrics(prometheus::Registry& registry, const std::string& name, Now now = Clock::now);

  void added(const std::string& key);
  void taken(const std::string& key);
  void done(const std::string& key);
  void delayed();
  /// Sets the gauges that grow by themselves.
  void before_scrape();

 private:
  Now now_;
  std::map<std::string, Clock::time_point> added_;
  std::map<std::string, Clock::time_point> taken_;
  prometheus::Gauge& depth_;
  prometheus::Counter& adds_;
  prometheus::Counter& retries_;
  prometheus::Histogram& wait_;
  prometheus::Histogram& work_;
  prometheus::Gauge& unfinished_;
  prometheus::Gauge& longest_;
};

enum class ReconcileOutcome { Success, RequeueAfter, Error };

/// What controller-runtime says of its controllers.
class ReconcileMetrics {
 public:
  ReconcileMetrics(prometheus::Registry& registry, const std::string& controller);

  void set_workers(std::size_t workers);
  void ended(ReconcileOutcome outcome, std::chrono::nanoseconds duration);

  /// A worker is busy as long as this lives.
  class Busy {
   public:
    explicit Busy(ReconcileMetrics* metrics);
    ~Busy();
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    ReconcileMetrics* metrics_;
  };

 private:
  prometheus::Counter& success_;
  prometheus::Counter& requeue_after_;
  prometheus::Counter& error_;
  prometheus::Counter& errors_;
  prometheus::Histogram& time_;
  prometheus::Gauge& workers_;
  prometheus::Gauge& active_;
};

/// What client-go says of its requests. `host` is the one API server, so it is a constant.
class RestClientMetrics {
 public:
  RestClientMetrics(prometheus::Registry& registry, std::string host);

  /// `status` is that of the answer; 0 when there was none (code="<error>" as in client-go).
  void answered(std::string_view method, int status, std::chrono::nanoseconds duration);
  /// The Date header of an answer that came `now`.
  void server_said_date(const std::string& date, crd::TimePoint now);
  /// Sets the gauge of the server's clock.
  void before_scrape();

 private:
  struct Method {
    std::string name;
    prometheus::Histogram* duration;
    std::vector<std::pair<int, prometheus::Counter*>> by_status;  ///< those seen so far: a few
  };
  Method& of(std::string_view method);

  std::string host_;
  prometheus::Family<prometheus::Counter>& requests_;
  prometheus::Family<prometheus::Histogram>& durations_;
  prometheus::Gauge& clock_offset_;
  std::string server_date_;  ///< read only when somebody looks
  crd::TimePoint server_date_came_;
  std::vector<Method> methods_;  ///< GET, POST, PATCH, DELETE
};

/// All metrics of the process. Single-threaded but for what prometheus-cpp locks itself. Names,
/// labels, help texts and buckets of the runtime are those of controller-runtime and client-go, so
/// that dashboards and alerts made for these work. No label has a value that users choose.
class Metrics {
 public:
  /// `server` is host:port of the API server.
  explicit Metrics(const std::string& server);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  QueueMetrics& queue() { return *queue_; }
  ReconcileMetrics& reconciles() { return *reconciles_; }
  RestClientMetrics& rest_client() { return *rest_client_; }
  /// leader_election_master_status{name}: 1 while this replica leads. Absent until it is called.
  void set_leading(const std::string& name, bool leads);

  /// For the metrics of those who know more than the runtime.
  prometheus::Registry& registry() { return *registry_; }
  /// `more` is asked at each scrape for what is cheaper made anew than kept. It may not name a
  /// family that is there already.
  void add_at_scrape(std::function<std::vector<prometheus::MetricFamily>()> more);

  /// The Prometheus text format 0.0.4, families sorted by name, process_* read now.
  std::string text();

 private:
  std::unique_ptr<prometheus::Registry> registry_;
  std::vector<std::function<std::vector<prometheus::MetricFamily>()>> at_scrape_;
  std::unique_ptr<QueueMetrics> queue_;
  std::unique_ptr<ReconcileMetrics> reconciles_;
  std::unique_ptr<RestClientMetrics> rest_client_;
  prometheus::Family<prometheus::Gauge>& leading_;
  prometheus::Counter& log_lines_dropped_;
};

}  // namespace controller
