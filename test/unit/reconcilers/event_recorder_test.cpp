#include "reconcilers/event_recorder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <prometheus/registry.h>

#include <boost/json/serialize.hpp>

#include "controller/log.hpp"
#include "test/fake/loop_fixture.hpp"
#include "test/fake/scripted_kube_client.hpp"
#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

namespace bj = boost::json;
using controller::ErrorKind;
using testing::ElementsAre;

controller::Result<bj::object> refusal(ErrorKind kind, int status) {
  controller::KubeError error;
  error.kind = kind;
  error.http_status = status;
  error.message = "as scripted";
  return std::unexpected(std::move(error));
}

EventNote note(std::string text = "said") {
  return {.reason = "Cordoned", .action = "Cordon", .note = std::move(text)};
}

class EventRecorderTest : public fake::LoopFixture {
 protected:
  void SetUp() override { controller::set_log_level(controller::LogLevel::Error); }

  /// Records them for the removal of the builders, and waits until all are written or lost.
  void record(const std::vector<EventNote>& events) {
    recorder_.record(make_active_removal(), events, limiter_, kNow);
    run_until([&] { return tasks_.empty(); });
  }
  void answer(std::vector<controller::Result<bj::object>> answers) {
    for (auto& each : answers) client_.create_answers.push_back(std::move(each));
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> paths;
    for (const auto& [collection, object] : client_.creates) {
      EXPECT_EQ(collection.ns, "default");
      paths.emplace_back(collection.resource.path);
    }
    return paths;
  }
  double dropped() {
    for (const auto& family : registry_.Collect()) {
      if (family.name == "noderemoval_events_dropped_total") {
        return family.metric.at(0).counter.value;
      }
    }
    ADD_FAILURE() << "there is no noderemoval_events_dropped_total";
    return -1;
  }

  fake::ScriptedKubeClient client_;
  controller::TaskGroup tasks_{io_.get_executor()};
  prometheus::Registry registry_;
  RemovalMetrics counted_{registry_};
  EventLimiter limiter_;
  EventRecorder recorder_{{.executor = io_.get_executor(),
                           .client = client_,
                           .tasks = tasks_,
                           .metrics = counted_,
                           .instance = std::string(200, 'i')}};
};

constexpr std::string_view kNew = "apis/events.k8s.io/v1";
constexpr std::string_view kCore = "api/v1";

TEST_F(EventRecorderTest, WritesThemOnTheRemovalAndOnTheNodeItIsBoundTo) {
  answer({bj::object{}, bj::object{}});
  auto event = note("two\nlines " + std::string(2000, 'x'));
  event.on = EventNote::On::Both;
  event.warning = true;
  event.pod = crd::PodRef{.ns = "shop", .name = "db-0", .uid = "pod-db-0"};
  record({event});
  ASSERT_THAT(paths(), ElementsAre(kNew, kNew));
  auto first = client_.creates.at(0).second;
  EXPECT_TRUE(first.at("note").as_string().starts_with("two lines xxx"));
  EXPECT_EQ(first.at("note").as_string().size(), 1024U);
  first.erase("note");
  const std::string instance(128, 'i');
  const bj::value expected{
      {"apiVersion", "events.k8s.io/v1"},
      {"kind", "Event"},
      {"metadata", {{"generateName", "noderemoval.1700000000000000-"}, {"namespace", "default"}}},
      {"eventTime", "2023-11-14T22:13:20.000000Z"},
      {"reportingController", "noderemoval.dev/controller"},
      {"reportingInstance", instance},
      {"type", "Warning"},
      {"reason", "Cordoned"},
      {"action", "Cordon"},
      {"regarding",
       {{"apiVersion", "noderemoval.dev/v1alpha1"},
        {"kind", "NodeRemoval"},
        {"name", "gone"},
        {"uid", "removal-1"}}},
      {"related",
       {{"apiVersion", "v1"},
        {"kind", "Pod"},
        {"namespace", "shop"},
        {"name", "db-0"},
        {"uid", "pod-db-0"}}}};
  EXPECT_EQ(bj::value(first), expected) << bj::serialize(first);
  const auto& second = client_.creates.at(1).second;
  EXPECT_EQ(
      second.at("regarding"),
      (bj::value{{"apiVersion", "v1"}, {"kind", "Node"}, {"name", "jetson"}, {"uid", "node-1"}}));
  EXPECT_TRUE(second.at("note").as_string().starts_with("NodeRemoval gone: two lines"));
  EXPECT_LE(second.at("note").as_string().size(), 1024U);
  EXPECT_EQ(dropped(), 0);
}

TEST_F(EventRecorderTest, NamesAndTimesThemInTheOrderInWhichTheyAreTold) {
  answer({bj::object{}, bj::object{}});
  record({note("first"), note("second")});
  std::vector<std::string> names;
  for (const auto& [collection, object] : client_.creates) {
    names.emplace_back(object.at("metadata").at("generateName").as_string());
    names.emplace_back(object.at("eventTime").as_string());
  }
  EXPECT_THAT(names, ElementsAre("noderemoval.1700000000000000-", "2023-11-14T22:13:20.000000Z",
                                 "noderemoval.1700000000000001-", "2023-11-14T22:13:20.000001Z"));
}

TEST_F(EventRecorderTest, UsesTheCoreApiWhereTheServerTakesOnlyThatAndRemembersIt) {
  for (const auto& [kind, status] :
       {std::pair{ErrorKind::Unknown, 404}, std::pair{ErrorKind::Invalid, 422}}) {
    client_.creates.clear();
    EventRecorder recorder{{.executor = io_.get_executor(),
                            .client = client_,
                            .tasks = tasks_,
                            .metrics = counted_,
                            .instance = "pod"}};
    EventLimiter limiter;
    answer({refusal(kind, status), bj::object{}, bj::object{}});
    recorder.record(make_active_removal(), {note("a"), note("b")}, limiter, kNow);
    run_until([&] { return tasks_.empty(); });
    EXPECT_THAT(paths(), ElementsAre(kNew, kCore, kCore)) << status;
    const auto& event = client_.creates.at(1).second;
    EXPECT_EQ(event.at("message").as_string(), "a");
    EXPECT_EQ(event.at("involvedObject").at("uid").as_string(), "removal-1");
    EXPECT_EQ(event.at("lastTimestamp").as_string(), "2023-11-14T22:13:20Z");
    EXPECT_FALSE(event.contains("eventTime"));
  }
}

TEST_F(EventRecorderTest, CountsWhatIsRefusedAndTriesTheNextOneLikeTheFirst) {
  answer({refusal(ErrorKind::Forbidden, 403), refusal(ErrorKind::Unknown, 404),
          refusal(ErrorKind::Forbidden, 403), refusal(ErrorKind::ServerError, 500), bj::object{}});
  record({note("a"), note("b"), note("c"), note("d")});
  EXPECT_THAT(paths(), ElementsAre(kNew, kNew, kCore, kNew, kNew));
  EXPECT_EQ(dropped(), 3);
}

TEST_F(EventRecorderTest, LogsOneLineAMinuteHoweverMuchIsLost) {
  std::vector<EventNote> events;
  for (int i = 0; i < 20; ++i) events.push_back(note(std::to_string(i)));
  for (int i = 0; i < 20; ++i) answer({refusal(ErrorKind::Forbidden, 403)});
  controller::set_log_level(controller::LogLevel::Warning);
  testing::internal::CaptureStderr();
  record(events);
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::ranges::count(log, '\n'), 1) << log;
  EXPECT_EQ(dropped(), 20);
}

TEST_F(EventRecorderTest, LosesWhatIsTooMuchInsteadOfLettingItWait) {
  client_.create_answers.push_back(bj::object{});
  constexpr int kQueued = 500;
  for (int i = 0; i <= kQueued; ++i) {
    EventLimiter limiter;
    recorder_.record(make_active_removal(), {note(std::to_string(i))}, limiter, kNow);
  }
  EXPECT_EQ(dropped(), 1);
  for (int i = 0; i < 30; ++i) {
    recorder_.record(make_active_removal(), {note("of one removal " + std::to_string(i))}, limiter_,
                     kNow);
  }
  EXPECT_EQ(dropped(), 31);
  run_until([&] { return client_.creates.size() == 1; });
  tasks_.cancel();
  run_until([&] { return tasks_.empty(); });
}

}  // namespace
}  // namespace reconcilers
