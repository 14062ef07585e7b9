#include "controller/metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <sstream>
#include <stdexcept>

#include "controller/log.hpp"
#include "controller/reconcile_loop.hpp"
#include "controller/work_queue.hpp"
#include "test/fake/client_fixture.hpp"
#include "test/fake/loop_fixture.hpp"

namespace controller {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

/// The value of the series with exactly this name and these labels; NaN when there is none.
double value(Metrics& metrics, const std::string& series) {
  const auto text = "\n" + metrics.text();
  const auto at = text.find("\n" + series + " ");
  if (at == std::string::npos) return std::nan("");
  return std::strtod(text.c_str() + at + series.size() + 2, nullptr);
}

std::vector<std::string> lines_with(const std::string& text, std::string_view start) {
  std::vector<std::string> out;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);) {
    if (line.starts_with(start)) out.push_back(line.substr(start.size()));
  }
  return out;
}

TEST(MetricsTest, HaveTheNamesAndTypesOfControllerRuntimeAndClientGo) {
  Metrics metrics{"127.0.0.1:6443"};
  metrics.set_leading("noderemoval", true);
  metrics.rest_client().answered("GET", 200, 1ms);
  const std::vector<std::string> expected{
      "controller_runtime_active_workers gauge",
      "controller_runtime_max_concurrent_reconciles gauge",
      "controller_runtime_reconcile_errors_total counter",
      "controller_runtime_reconcile_time_seconds histogram",
      "controller_runtime_reconcile_total counter",
      "leader_election_master_status gauge",
      "noderemoval_build_info gauge",
      "noderemoval_log_lines_dropped_total counter",
      "noderemoval_server_clock_offset_seconds gauge",
      "process_cpu_seconds_total counter",
      "process_max_fds gauge",
      "process_open_fds gauge",
      "process_resident_memory_bytes gauge",
      "process_start_time_seconds gauge",
      "process_virtual_memory_bytes gauge",
      "rest_client_request_duration_seconds histogram",
      "rest_client_requests_total counter",
      "workqueue_adds_total counter",
      "workqueue_depth gauge",
      "workqueue_longest_running_processor_seconds gauge",
      "workqueue_queue_duration_seconds histogram",
      "workqueue_retries_total counter",
      "workqueue_unfinished_work_seconds gauge",
      "workqueue_work_duration_seconds histogram",
  };
  EXPECT_EQ(lines_with(metrics.text(), "# TYPE "), expected);
  EXPECT_EQ(lines_with(metrics.text(), "# HELP ").size(), expected.size());
}

TEST(MetricsTest, ShowEveryResultBeforeItHappens) {
  Metrics metrics{"127.0.0.1:6443"};
  for (const auto* result : {"success", "requeue", "requeue_after", "error"}) {
    EXPECT_EQ(value(metrics, std::string("controller_runtime_reconcile_total{controller="
                                         "\"noderemoval\",result=\"") +
                                 result + "\"}"),
              0)
        << result;
  }
  EXPECT_EQ(value(metrics, "noderemoval_log_lines_dropped_total"),
            static_cast<double>(dropped_log_lines()));
  EXPECT_EQ(value(metrics, "noderemoval_build_info{version=\"" NODEREMOVAL_VERSION "\"}"), 1);
}

TEST(MetricsTest, SayWhetherWeLead) {
  Metrics metrics{"127.0.0.1:6443"};
  const std::string series = "leader_election_master_status{name=\"lease\"}";
  EXPECT_TRUE(std::isnan(value(metrics, series)));
  metrics.set_leading("lease", false);
  EXPECT_EQ(value(metrics, series), 0);
  metrics.set_leading("lease", true);
  EXPECT_EQ(value(metrics, series), 1);
}

TEST(MetricsTest, KnowTheProcess) {
  Metrics metrics{"127.0.0.1:6443"};
  const auto before = value(metrics, "process_open_fds");
  const int file = ::dup(STDERR_FILENO);
  EXPECT_EQ(value(metrics, "process_open_fds"), before + 1);
  ::close(file);
  const auto started = value(metrics, "process_start_time_seconds");
  const auto now = static_cast<double>(std::time(nullptr));
  EXPECT_LE(started, now + 1);
  EXPECT_GT(started, now - 24 * 3600);
  EXPECT_GT(value(metrics, "process_resident_memory_bytes"), 1e6);
  EXPECT_GT(value(metrics, "process_cpu_seconds_total"), -1);
  EXPECT_GE(value(metrics, "process_max_fds"), before);
}

TEST(MetricsTest, CountRequestsByMethodAndCode) {
  Metrics metrics{"[::1]:6443"};
  auto& requests = metrics.rest_client();
  requests.answered("GET", 200, 10ms);
  requests.answered("GET", 200, 10ms);
  requests.answered("POST", 429, 2s);
  requests.answered("POST", 0, 15s);
  const auto count = [&](const std::string& code, const std::string& method) {
    return value(metrics, "rest_client_requests_total{code=\"" + code +
                              "\",host=\"[::1]:6443\",method=\"" + method + "\"}");
  };
  EXPECT_EQ(count("200", "GET"), 2);
  EXPECT_EQ(count("429", "POST"), 1);
  EXPECT_EQ(count("<error>", "POST"), 1);
  const std::string post = "{host=\"[::1]:6443\",verb=\"POST\"";
  EXPECT_EQ(value(metrics, "rest_client_request_duration_seconds_count" + post + "}"), 2);
  EXPECT_EQ(value(metrics, "rest_client_request_duration_seconds_sum" + post + "}"), 17);
  EXPECT_EQ(value(metrics, "rest_client_request_duration_seconds_bucket" + post + ",le=\"2\"}"), 1);
}

TEST(MetricsTest, HaveNoMoreSeriesThanCodesWhateverAServerSends) {
  Metrics metrics{"127.0.0.1:6443"};
  for (int status = -1; status < 2000; ++status) metrics.rest_client().answered("GET", status, 1ms);
  const auto series = lines_with(metrics.text(), "rest_client_requests_total");
  EXPECT_EQ(series.size(), 501U) << "100 to 599 and <error>";
}

class QueueMetricsTest : public testing::Test {
 protected:
  static QueueMetrics::Clock::time_point now() { return now_; }
  double of(const std::string& name) {
    queue_.before_scrape();
    return value(metrics_, name + "{name=\"test\"}");
  }

  static inline QueueMetrics::Clock::time_point now_{1000h};
  Metrics metrics_{"127.0.0.1:6443"};
  QueueMetrics queue_{metrics_.registry(), "test", now};
  WorkQueueCore core_{&queue_};
};

TEST_F(QueueMetricsTest, FollowAKeyThroughTheQueue) {
  core_.add("a");
  core_.add("a");
  core_.add("b");
  EXPECT_EQ(of("workqueue_adds_total"), 2) << "one that waits already is not added";
  EXPECT_EQ(of("workqueue_depth"), 2);
  now_ += 2s;
  core_.take(now_);
  EXPECT_EQ(of("workqueue_depth"), 1);
  EXPECT_EQ(of("workqueue_queue_duration_seconds_count"), 1);
  EXPECT_EQ(of("workqueue_queue_duration_seconds_sum"), 2);
  now_ += 3s;
  EXPECT_EQ(of("workqueue_unfinished_work_seconds"), 3);
  core_.take(now_);
  now_ += 1s;
  EXPECT_EQ(of("workqueue_unfinished_work_seconds"), 5);
  EXPECT_EQ(of("workqueue_longest_running_processor_seconds"), 4);
  core_.done("a");
  EXPECT_EQ(of("workqueue_work_duration_seconds_sum"), 4);
  EXPECT_EQ(of("workqueue_unfinished_work_seconds"), 1);
  core_.done("b");
  EXPECT_EQ(of("workqueue_work_duration_seconds_count"), 2);
  EXPECT_EQ(of("workqueue_longest_running_processor_seconds"), 0);
  EXPECT_EQ(of("workqueue_depth"), 0);
}

TEST_F(QueueMetricsTest, CountAKeyThatIsAddedWhileAWorkerHasIt) {
  core_.add("a");
  core_.take(now_);
  core_.add("a");
  EXPECT_EQ(of("workqueue_adds_total"), 2);
  EXPECT_EQ(of("workqueue_depth"), 1);
  core_.done("a");
  core_.take(now_);
  EXPECT_EQ(of("workqueue_depth"), 0);
}

TEST_F(QueueMetricsTest, CountADelayedKeyWhenItIsDue) {
  core_.add_at("a", now_ + 1s);
  EXPECT_EQ(of("workqueue_adds_total"), 0);
  core_.take(now_ + 1s);
  EXPECT_EQ(of("workqueue_adds_total"), 1);
}

class ReconcileMetricsTest : public fake::LoopFixture {
 protected:
  /// Ends with what its key says; sees how many workers are busy then.
  struct Scripted final : Reconciler {
    explicit Scripted(Metrics& its_metrics) : metrics(its_metrics) {}
    boost::asio::awaitable<ReconcileResult> reconcile(std::string key) override {
      busy = value(metrics, "controller_runtime_active_workers{controller=\"noderemoval\"}");
      if (key == "fails") co_return ReconcileResult::failed();
      if (key == "throws") throw std::runtime_error("a bug");
      if (key == "later") co_return ReconcileResult::requeue_after(1h);
      co_return ReconcileResult::await_change();
    }
    Metrics& metrics;
    double busy = -1;
  };

  double total(const std::string& result) {
    return value(
        metrics_,
        "controller_runtime_reconcile_total{controller=\"noderemoval\",result=\"" + result + "\"}");
  }

  Metrics metrics_{"127.0.0.1:6443"};
  WorkQueue queue_{io_.get_executor(), &metrics_.queue()};
  Scripted reconciler_{metrics_};
};

TEST_F(ReconcileMetricsTest, CountWhatCameOfEachReconcile) {
  for (const auto* key : {"good", "later", "fails", "throws"}) queue_.add(key);
  bool ended = false;
  boost::asio::co_spawn(io_, run_worker(queue_, reconciler_, &metrics_.reconciles()),
                        [&](const std::exception_ptr&) { ended = true; });
  run_until([&] { return total("error") >= 2; });
  queue_.stop();
  run_until([&] { return ended; });
  EXPECT_EQ(total("success"), 1);
  EXPECT_EQ(total("requeue_after"), 1);
  EXPECT_EQ(reconciler_.busy, 1);
  const std::string labels = "{controller=\"noderemoval\"}";
  EXPECT_EQ(value(metrics_, "controller_runtime_active_workers" + labels), 0);
  EXPECT_EQ(value(metrics_, "controller_runtime_reconcile_errors_total" + labels), total("error"));
  EXPECT_EQ(value(metrics_, "controller_runtime_reconcile_time_seconds_count" + labels),
            total("error") + 2);
  EXPECT_EQ(value(metrics_, "workqueue_retries_total{name=\"noderemoval\"}"), total("error") + 1);
}

class ClientMetricsTest : public fake::ClientFixture {};

TEST_F(ClientMetricsTest, TellTheClockOfTheServerFromOurs) {
  Metrics metrics{"host:1"};
  const auto counted = make_http_kube_client(config_, options_, &metrics.rest_client());
  server_.on_request([](const fake::Request&) {
    return fake::answer(200, node_json("n1"), "application/json",
                        "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
  });
  const std::string offset = "noderemoval_server_clock_offset_seconds";
  EXPECT_EQ(value(metrics, offset), 0);
  EXPECT_TRUE(run(counted->get(node("n1"))));
  const auto years = (784111777.0 - static_cast<double>(std::time(nullptr))) / (365 * 86400);
  EXPECT_NEAR(value(metrics, offset) / (365 * 86400), years, 0.01);
}

TEST_F(ClientMetricsTest, AreNotMisledByADateThatIsNone) {
  Metrics metrics{"host:1"};
  metrics.rest_client().server_said_date("tomorrow", crd::TimePoint{1h});
  EXPECT_EQ(value(metrics, "noderemoval_server_clock_offset_seconds"), 0);
}

TEST_F(ClientMetricsTest, CountTheRequestsOfTheClient) {
  Metrics metrics{"host:1"};
  const auto counted = make_http_kube_client(config_, options_, &metrics.rest_client());
  server_.on_request([](const fake::Request& request) {
    return request.target.contains("pods")
               ? fake::answer(429, R"({"kind":"Status","status":"Failure","code":429})")
               : fake::answer(200, node_json("n1"));
  });
  EXPECT_TRUE(run(counted->get(node("n1"))));
  EXPECT_FALSE(run(counted->evict(pod(), std::nullopt, false)));
  EXPECT_EQ(value(metrics, R"(rest_client_requests_total{code="200",host="host:1",method="GET"})"),
            1);
  EXPECT_EQ(value(metrics, R"(rest_client_requests_total{code="429",host="host:1",method="POST"})"),
            1);
}

}  // namespace
}  // namespace controller
