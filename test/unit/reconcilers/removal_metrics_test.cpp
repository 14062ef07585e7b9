#include "reconcilers/removal_metrics.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "controller/metrics.hpp"
#include "crd/json.hpp"
#include "reconcilers/eviction_outcome.hpp"
#include "reconcilers/node_removal_reconciler.hpp"
#include "test/fake/loop_fixture.hpp"
#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

using controller::ErrorKind;
using controller::KubeError;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// The lines of one family whose value is not 0.
std::vector<std::string> lines(controller::Metrics& metrics, const std::string& family) {
  std::vector<std::string> out;
  std::istringstream stream{metrics.text()};
  for (std::string line; std::getline(stream, line);) {
    const bool of_it = line.starts_with(family + "{") || line.starts_with(family + " ");
    if (of_it && !line.ends_with(" 0")) out.push_back(line);
  }
  return out;
}

std::size_t series(controller::Metrics& metrics) {
  std::size_t count = 0;
  std::istringstream stream{metrics.text()};
  for (std::string line; std::getline(stream, line);) count += line.starts_with('#') ? 0 : 1;
  return count;
}

TEST(RemovalMetrics, ShowEverySeriesBeforeAnythingHappens) {
  controller::Metrics metrics{"127.0.0.1:6443"};
  RemovalMetrics counted{metrics.registry()};
  const auto before = series(metrics);
  RemovalNews news;
  for (const auto type : kSteps) news.steps.push_back({type, kDeadPath, 3s});
  news.path = kDeadPath;
  news.node_deleted = news.declared_dead = news.recovered = news.needs_fencing = true;
  news.end = {.outcome = "Failed", .reason = "DrainTimedOut", .path = "dead", .duration = 40s};
  counted.count(news);
  for (const auto result : kEvictionResults) counted.eviction_answered(result);
  counted.pod_removed(kForced);
  counted.withheld(kWithheldByGate, 2);
  EXPECT_EQ(series(metrics), before);
  EXPECT_THAT(lines(metrics, "noderemoval_requests_withheld_total"),
              ElementsAre("noderemoval_requests_withheld_total{why=\"gate\"} 2"));
  EXPECT_THAT(lines(metrics, "noderemoval_removal_duration_seconds_sum"),
              ElementsAre("noderemoval_removal_duration_seconds_sum"
                          "{outcome=\"Failed\",path=\"dead\"} 40"));
}

TEST(RemovalMetrics, LoseNothingThatNobodyForesaw) {
  controller::Metrics metrics{"127.0.0.1:6443"};
  RemovalMetrics counted{metrics.registry()};
  counted.count(RemovalNews::End{
      .outcome = "Failed", .reason = "Gremlins", .path = kDrainPath, .duration = {}});
  EXPECT_THAT(lines(metrics, "noderemoval_removals_finished_total"),
              ElementsAre("noderemoval_removals_finished_total"
                          "{outcome=\"Failed\",reason=\"Gremlins\"} 1"));
}

TEST(RemovalMetrics, NameARemovalOnlyWhileItIsActive) {
  controller::Metrics metrics{"127.0.0.1:6443"};
  std::map<std::string, crd::NodeRemoval> removals;
  metrics.add_at_scrape([&] { return gauges_of(removal_series(removals, Policy{}, kNow)); });
  const auto before = series(metrics);
  auto removal = make_active_removal();
  set_condition(removal, condition::kSucceeded, crd::ConditionStatus::Unknown, "Settling", kNow);
  removal.status.pods = crd::PodCounts{.remaining = 2};
  removal.status.blockers = {{"shop/web", "pod-web", "UnmanagedPod", "", "", kNow - 9s}};
  removals = {{"gone", removal}};
  EXPECT_EQ(series(metrics), before + 7);
  EXPECT_THAT(lines(metrics, "noderemoval_active_needs_decision"),
              ElementsAre("noderemoval_active_needs_decision"
                          "{noderemoval=\"gone\",target=\"jetson\",decision=\"UnmanagedPod\"} 1"));
  EXPECT_THAT(lines(metrics, "noderemoval_oldest_blocked_age_seconds"),
              ElementsAre("noderemoval_oldest_blocked_age_seconds 9"));
  removals["gone"].status.completion_time = kNow;
  EXPECT_EQ(series(metrics), before);
  EXPECT_THAT(metrics.text(), Not(HasSubstr("jetson")));
}

KubeError error(ErrorKind kind, std::string message = {}, std::string cause = {}) {
  KubeError out;
  out.kind = kind;
  out.message = std::move(message);
  if (!cause.empty()) out.causes.push_back({.reason = cause, .message = {}, .field = {}});
  return out;
}

TEST(EvictionResult, HasAWordForEveryAnswer) {
  const auto result = [](KubeError problem) {
    return eviction_result(std::unexpected(std::move(problem)));
  };
  EXPECT_EQ(eviction_result({}), "accepted");
  EXPECT_EQ(result(error(ErrorKind::NotFound)), "gone");
  EXPECT_EQ(result(error(ErrorKind::Conflict)), "conflict");
  EXPECT_EQ(result(error(ErrorKind::TooManyRequests, "", "DisruptionBudget")), "blocked_by_budget");
  EXPECT_EQ(result(error(ErrorKind::TooManyRequests)), "busy");
  EXPECT_EQ(result(error(ErrorKind::ServerError,
                         "This pod has more than one PodDisruptionBudget, which the eviction")),
            "multiple_budgets");
  EXPECT_EQ(result(error(ErrorKind::Forbidden, "", "NamespaceTerminating")),
            "namespace_terminating");
  EXPECT_EQ(result(error(ErrorKind::Forbidden, "cannot create resource pods/eviction")),
            "forbidden");
  EXPECT_EQ(result(error(ErrorKind::Forbidden, "denied by a webhook")), "refused");
  EXPECT_EQ(result(error(ErrorKind::Unknown)), "unknown");
  EXPECT_EQ(result(error(ErrorKind::ServerError)), "failed");
}

/// Holds one NodeRemoval, and answers no question about nodes.
class OneRemovalServer final : public controller::KubeClient {
 public:
  template <typename T>
  using Answer = controller::awaitable<controller::Result<T>>;

  boost::json::object removal;
  std::optional<boost::json::object> node;
  /// Called with each patch before it is carried out; what it returns is answered instead of the
  /// object.
  std::function<std::optional<ErrorKind>(bool before)> trouble = [](bool) { return std::nullopt; };

  explicit OneRemovalServer(boost::json::object spec)
      : removal{{"metadata", boost::json::object{{"name", "gone"},
                                                 {"uid", kRemovalUid},
                                                 {"generation", 1},
                                                 {"resourceVersion", "1"}}},
                {"spec", std::move(spec)}} {}

  void touch() {
    auto& meta = removal["metadata"].as_object();
    meta["resourceVersion"] = std::to_string(std::stoi(version()) + 1);
  }
  std::string version() const {
    return crd::json::string_at(removal.at("metadata").as_object(), "resourceVersion");
  }

  Answer<boost::json::object> get(controller::ObjectRef ref) override {
    if (ref.name == "gone") co_return removal;
    if (node) co_return *node;
    co_return std::unexpected(error(ErrorKind::Unknown));
  }
  Answer<boost::json::object> patch(controller::ObjectRef, std::string_view,
                                    boost::json::object patch) override {
    if (const auto kind = trouble(true)) co_return std::unexpected(error(*kind));
    const auto& meta = patch.at("metadata").as_object();
    if (crd::json::string_at(meta, "resourceVersion") != version()) {
      co_return std::unexpected(error(ErrorKind::Conflict));
    }
    auto& status = removal["status"];
    if (!status.is_object()) status = boost::json::object{};
    for (const auto& [key, value] : patch.at("status").as_object()) {
      status.as_object()[key] = value;
    }
    touch();
    if (const auto kind = trouble(false)) co_return std::unexpected(error(*kind));
    co_return removal;
  }
  Answer<boost::json::object> create(controller::CollectionRef, boost::json::object) override {
    co_return boost::json::object{};
  }
  Answer<controller::List> list(controller::ListRequest) override {
    co_return std::unexpected(error(ErrorKind::Unknown));
  }
  Answer<std::unique_ptr<controller::WatchStream>> watch(controller::WatchRequest) override {
    co_return std::unexpected(error(ErrorKind::Unknown));
  }
  Answer<void> evict(crd::PodRef, std::optional<std::chrono::seconds>, bool) override {
    co_return std::unexpected(error(ErrorKind::Unknown));
  }
  Answer<void> delete_pod(crd::PodRef, std::optional<std::chrono::seconds>) override {
    co_return std::unexpected(error(ErrorKind::Unknown));
  }
  Answer<void> delete_object(controller::ObjectRef, std::string) override {
    co_return std::unexpected(error(ErrorKind::Unknown));
  }
  Answer<int> server_minor() override { co_return 36; }
  Answer<void> delete_node(crd::NodeDeletePermit) override {
    co_return std::unexpected(error(ErrorKind::Unknown));
  }
};

const boost::json::object kInvalid{};  // neither nodeName nor nodeSelector
const boost::json::object kOfJetson{{"nodeName", "jetson"}};

class CountingActor : public fake::LoopFixture {
 protected:
  void act_on(OneRemovalServer& server, std::vector<Action> actions) {
    CensusCache census{server};
    Session session{std::string{kRemovalUid}};
    const Policy policy;
    run(act({.client = server,
             .census = census,
             .session = session,
             .policy = policy,
             .removal = crd::node_removal_from_json(server.removal),
             .others = {},
             .time = kNow,
             .metrics = &counted_},
            std::move(actions)));
  }
  std::vector<std::string> withheld() {
    return lines(metrics_, "noderemoval_requests_withheld_total");
  }

  controller::Metrics metrics_{"127.0.0.1:6443"};
  RemovalMetrics counted_{metrics_.registry()};
  const Action evict_web_ = Evict{make_pod("web").ref(), std::nullopt};
  const Action evict_db_ = Evict{make_pod("db").ref(), std::nullopt};
};

TEST_F(CountingActor, CountsRequestsThatTheLastCheckHeldBack) {
  OneRemovalServer server{kOfJetson};
  server.removal["metadata"].as_object()["deletionTimestamp"] = "2026-01-01T00:00:00Z";
  act_on(server, {evict_web_, evict_db_});
  EXPECT_THAT(withheld(), ElementsAre("noderemoval_requests_withheld_total{why=\"unreadable\"} 2"));
  server.node = boost::json::object{{"metadata", boost::json::object{{"name", "jetson"}}}};
  act_on(server, {evict_web_});
  EXPECT_THAT(withheld(), testing::UnorderedElementsAre(
                              "noderemoval_requests_withheld_total{why=\"gate\"} 1",
                              "noderemoval_requests_withheld_total{why=\"unreadable\"} 2"));
  act_on(server, {DeleteNode{}});
  EXPECT_THAT(withheld(), testing::UnorderedElementsAre(
                              "noderemoval_requests_withheld_total{why=\"gate\"} 1",
                              "noderemoval_requests_withheld_total{why=\"unreadable\"} 3"))
      << "the nodes cannot be listed";
}

/// The reconciler with a server of its own.
class CountingReconciler : public fake::LoopFixture {
 protected:
  struct Process {
    Process(boost::asio::io_context& io, OneRemovalServer& server)
        : removals(io.get_executor(), crd::node_removal_from_json, [](const auto&) {}),
          queue(io.get_executor()),
          tasks(io.get_executor()),
          reconciler({.executor = io.get_executor(),
                      .client = server,
                      .removals = removals,
                      .queue = queue,
                      .tasks = tasks,
                      .metrics = counted,
                      .policy = {},
                      .clock = [] { return kNow; }}) {
      removals.replace({server.removal});
    }

    controller::Metrics metrics{"127.0.0.1:6443"};
    RemovalMetrics counted{metrics.registry()};
    controller::Store<crd::NodeRemoval> removals;
    controller::WorkQueue queue;
    controller::TaskGroup tasks;
    NodeRemovalReconciler reconciler;
  };

  void reconcile(Process& process) {
    run(process.reconciler.reconcile("gone"));
    run_until([&] { return process.tasks.empty(); });
  }
  static std::vector<std::string> ends(Process& process) {
    return lines(process.metrics, "noderemoval_removals_finished_total");
  }

  const std::string invalid_ =
      "noderemoval_removals_finished_total{outcome=\"Failed\",reason=\"InvalidSpec\"} 1";
};

TEST_F(CountingReconciler, CountsAnEndOnceWhenItsWriteIsRepeatedAfterAConflict) {
  OneRemovalServer server{kInvalid};
  Process process{io_, server};
  int patches = 0;
  server.trouble = [&](bool before) {
    if (before && ++patches == 1) server.touch();  // somebody else was faster
    return std::nullopt;
  };
  reconcile(process);
  EXPECT_EQ(patches, 2);
  EXPECT_THAT(ends(process), ElementsAre(invalid_));
  process.removals.apply(server.removal);
  reconcile(process);
  EXPECT_THAT(ends(process), ElementsAre(invalid_));
}

TEST_F(CountingReconciler, CountsAnEndOnceWhenTheAnswerToItsWriteIsLost) {
  OneRemovalServer server{kInvalid};
  Process process{io_, server};
  server.trouble = [](bool before) {
    return before ? std::nullopt : std::optional{ErrorKind::Unknown};
  };
  reconcile(process);
  EXPECT_THAT(ends(process), IsEmpty());
  process.removals.apply(server.removal);
  reconcile(process);
  EXPECT_THAT(ends(process), ElementsAre(invalid_));
  process.removals.remove(server.removal);
  reconcile(process);
  EXPECT_THAT(ends(process), ElementsAre(invalid_));
}

TEST_F(CountingReconciler, CountsNothingThatHappenedBeforeItWasStarted) {
  OneRemovalServer server{kInvalid};
  Process before{io_, server};
  reconcile(before);
  Process after{io_, server};
  reconcile(after);
  EXPECT_THAT(ends(after), IsEmpty());
}

TEST_F(CountingReconciler, CountsARemovalThatGoesAwayBeforeItsEndAsCancelled) {
  OneRemovalServer server{kOfJetson};
  Process process{io_, server};
  reconcile(process);
  EXPECT_THAT(ends(process), IsEmpty());
  process.removals.remove(server.removal);
  reconcile(process);
  reconcile(process);
  EXPECT_THAT(ends(process), ElementsAre("noderemoval_removals_finished_total"
                                         "{outcome=\"Cancelled\",reason=\"Cancelled\"} 1"));
}

}  // namespace
}  // namespace reconcilers
