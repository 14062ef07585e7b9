#include "controller/watcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <stdexcept>

#include "controller/log.hpp"
#include "controller/task_group.hpp"
#include "crd/core_types.hpp"
#include "test/fake/scripted_kube_client.hpp"

namespace controller {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

boost::json::object named(std::string_view name, std::string_view version) {
  boost::json::object metadata{{"name", name}};
  if (!version.empty()) metadata["resourceVersion"] = version;
  return {{"metadata", metadata}};
}

List list_of(std::string_view version, const std::vector<std::string_view>& names) {
  List list{.resource_version = std::string{version}, .items = {}};
  for (const auto name : names) list.items.push_back(named(name, "1"));
  return list;
}

WatchEvent event(WatchEvent::Type type, std::string_view name, std::string_view version) {
  return {.type = type, .object = named(name, version)};
}
WatchEvent added(std::string_view name, std::string_view version) {
  return event(WatchEvent::Type::Added, name, version);
}

/// An ERROR event, as the server puts it into the stream.
WatchEvent status_event(int code) {
  return {.type = WatchEvent::Type::Error, .object = {{"kind", "Status"}, {"code", code}}};
}

constexpr std::nullopt_t kEndInOrder = std::nullopt;

auto failure(ErrorKind kind, std::vector<ErrorCause> causes = {}) {
  KubeError error;
  error.kind = kind;
  error.message = "as scripted";
  error.causes = std::move(causes);
  return std::unexpected(std::move(error));
}

/// Notes what it is told, in words.
class Notes final : public WatchHandler {
 public:
  std::vector<std::string> lines;

  void replace(const std::vector<boost::json::object>& items) override {
    std::string line = "replace";
    for (const auto& item : items) line += " " + name_of(item);
    lines.push_back(line);
  }
  void apply(const boost::json::object& object) override {
    lines.push_back("apply " + name_of(object));
  }
  void remove(const boost::json::object& object) override {
    lines.push_back("remove " + name_of(object));
  }

 private:
  static std::string name_of(const boost::json::object& object) {
    return crd::object_meta_from_json(object).name;
  }
};

class WatcherTest : public testing::Test {
 protected:
  static constexpr Resource kNodes{"api/v1", "nodes", "Node", false};

  boost::asio::io_context io_;
  TaskGroup tasks_{io_.get_executor()};
  fake::ScriptedKubeClient client_;
  Notes notes_;
  WatcherOptions options_{.collection = {kNodes, ""},
                          .field_selector = "metadata.name=jetson",
                          .from_cache = false,
                          .backoff = {.first = 1ms, .limit = 2ms},
                          .on_list_error = {}};
  std::exception_ptr error_;

  void SetUp() override { set_log_level(LogLevel::Error); }

  /// Watches until the script is at its end.
  void run() {
    start();
    io_.run_for(20s);
    ASSERT_TRUE(io_.stopped()) << "the watcher neither used its script up nor ended";
  }

  void start() {
    client_.at_end = [this] { tasks_.cancel(); };
    tasks_.spawn(run_watcher(client_, options_, notes_));
    boost::asio::co_spawn(io_, tasks_.join(),
                          [this](const std::exception_ptr& error) { error_ = error; });
  }

  void TearDown() override {
    set_log_level(LogLevel::Info);
    tasks_.cancel();
    io_.restart();
    io_.run_for(20s);
  }

  std::vector<std::string> list_versions() const {
    std::vector<std::string> versions;
    for (const auto& request : client_.lists) versions.push_back(request.resource_version);
    return versions;
  }

  std::vector<std::string> watch_versions() const {
    std::vector<std::string> versions;
    for (const auto& request : client_.watches) versions.push_back(request.resource_version);
    return versions;
  }
};

TEST_F(WatcherTest, SaysWhenAWatchHasBegunAndWhenItFailed) {
  client_.list_answers.push_back(list_of("10", {"jetson"}));
  client_.watch_answers.push_back(failure(ErrorKind::NotSent));
  client_.watch_answers.push_back(fake::WatchScript{failure(ErrorKind::Unknown)});
  client_.watch_answers.push_back(fake::WatchScript{});
  std::vector<std::string> said;
  options_.on_watch = [&](const KubeError* error) {
    said.push_back(error == nullptr ? "begun" : error->message);
  };
  run();
  EXPECT_THAT(said, ElementsAre("as scripted", "begun", "as scripted", "begun"));
}

TEST_F(WatcherTest, ListsAndWatchesFromTheVersionOfTheList) {
  client_.list_answers = {list_of("10", {"a", "b"})};
  client_.watch_answers = {fake::WatchScript{added("c", "11"),
                                             event(WatchEvent::Type::Modified, "a", "12"),
                                             event(WatchEvent::Type::Deleted, "b", "13")}};
  run();
  EXPECT_THAT(notes_.lines, ElementsAre("replace a b", "apply c", "apply a", "remove b"));
  EXPECT_THAT(watch_versions(), ElementsAre("10"));
}

TEST_F(WatcherTest, AsksForTheCollectionAndTheFieldsItWasGiven) {
  client_.list_answers = {list_of("10", {})};
  run();
  ASSERT_EQ(client_.lists.size(), 1U);
  ASSERT_EQ(client_.watches.size(), 1U);
  EXPECT_EQ(client_.lists.front().collection, options_.collection);
  EXPECT_EQ(client_.lists.front().field_selector, "metadata.name=jetson");
  EXPECT_EQ(client_.watches.front().collection, options_.collection);
  EXPECT_EQ(client_.watches.front().field_selector, "metadata.name=jetson");
}

TEST_F(WatcherTest, ResumesFromItsPlaceAfterAnEndInOrder) {
  client_.list_answers = {list_of("10", {})};
  client_.watch_answers = {fake::WatchScript{added("a", "11"), kEndInOrder}};
  run();
  EXPECT_THAT(watch_versions(), ElementsAre("10", "11"));
  EXPECT_EQ(client_.lists.size(), 1U) << "a watch that ended in order needs no new list";
}

TEST_F(WatcherTest, MovesItsPlaceWithBookmarksAndTellsNobody) {
  client_.list_answers = {list_of("10", {})};
  client_.watch_answers = {
      fake::WatchScript{event(WatchEvent::Type::Bookmark, "", "50"), kEndInOrder}};
  run();
  EXPECT_THAT(watch_versions(), ElementsAre("10", "50"));
  EXPECT_THAT(notes_.lines, ElementsAre("replace"));
}

TEST_F(WatcherTest, KeepsItsPlaceWhenAnEventHasNoVersion) {
  client_.list_answers = {list_of("10", {})};
  client_.watch_answers = {fake::WatchScript{added("a", ""), kEndInOrder}};
  run();
  EXPECT_THAT(watch_versions(), ElementsAre("10", "10"));
}

TEST_F(WatcherTest, ListsAgainWhenItsPlaceIsForgotten) {
  const struct {
    std::string name;
    Result<fake::WatchScript> answer;
  } kCases[] = {
      {"410 as the answer", failure(ErrorKind::Gone)},
      {"410 in the stream", fake::WatchScript{added("a", "11"), status_event(410)}},
      {"410 as the first event", fake::WatchScript{status_event(410)}},
      {"504 as the answer", failure(ErrorKind::ServerError, {{"ResourceVersionTooLarge", "", ""}})},
      {"504 in the stream", fake::WatchScript{status_event(504)}},
  };
  for (const auto& [name, answer] : kCases) {
    client_ = {};
    notes_.lines.clear();
    io_.restart();
    client_.list_answers = {list_of("10", {"a"}), list_of("20", {"b"})};
    client_.watch_answers = {answer};
    TaskGroup tasks{io_.get_executor()};
    client_.at_end = [&] { tasks.cancel(); };
    tasks.spawn(run_watcher(client_, options_, notes_));
    io_.run_for(20s);
    ASSERT_TRUE(io_.stopped()) << name;
    EXPECT_THAT(watch_versions(), ElementsAre("10", "20")) << name;
    EXPECT_EQ(notes_.lines.front(), "replace a") << name;
    EXPECT_EQ(notes_.lines.back(), "replace b") << name;
  }
}

TEST_F(WatcherTest, WatchesOnFromItsPlaceAfterAnyOtherFailure) {
  client_.list_answers = {list_of("10", {})};
  client_.watch_answers = {failure(ErrorKind::NotSent), failure(ErrorKind::ServerError),
                           fake::WatchScript{status_event(500)},
                           fake::WatchScript{added("a", "11"), failure(ErrorKind::Unknown)},
                           fake::WatchScript{kEndInOrder}};
  run();
  EXPECT_THAT(watch_versions(), ElementsAre("10", "10", "10", "10", "11", "11"));
  EXPECT_EQ(client_.lists.size(), 1U);
}

TEST_F(WatcherTest, ListsAgainAfterASilenceBecauseTheServerMayHaveLostWhatItTold) {
  KubeError silence;
  silence.silent = true;
  options_.from_cache = true;
  client_.list_answers = {list_of("10", {"a"}), list_of("5", {"b"})};
  client_.watch_answers = {fake::WatchScript{added("a", "11"), std::unexpected(silence)}};
  run();
  EXPECT_THAT(list_versions(), ElementsAre("0", ""));
  EXPECT_THAT(watch_versions(), ElementsAre("10", "5"));
  EXPECT_THAT(notes_.lines, ElementsAre("replace a", "apply a", "replace b"));
}

TEST_F(WatcherTest, ReadsOnlyItsFirstListFromTheCache) {
  options_.from_cache = true;
  client_.list_answers = {failure(ErrorKind::NotSent), list_of("10", {}), list_of("20", {})};
  client_.watch_answers = {failure(ErrorKind::Gone)};
  run();
  EXPECT_THAT(list_versions(), ElementsAre("0", "0", ""));
}

TEST_F(WatcherTest, ReadsEveryListFromTheQuorumOtherwise) {
  client_.list_answers = {list_of("10", {}), list_of("20", {})};
  client_.watch_answers = {failure(ErrorKind::Gone)};
  run();
  EXPECT_THAT(list_versions(), ElementsAre("", ""));
}

TEST_F(WatcherTest, TriesAListAgainUntilItSucceeds) {
  int errors = 0;
  options_.on_list_error = [&](const KubeError& error) {
    EXPECT_EQ(error.message, "as scripted");
    ++errors;
  };
  client_.list_answers = {failure(ErrorKind::NotSent), failure(ErrorKind::Forbidden),
                          list_of("10", {"a"})};
  run();
  EXPECT_EQ(errors, 2);
  EXPECT_THAT(notes_.lines, ElementsAre("replace a")) << "a failed list is not an empty one";
}

TEST_F(WatcherTest, EndsItsGroupWhenTheCallbackThrows) {
  options_.on_list_error = [](const KubeError& error) { throw std::runtime_error(error.message); };
  client_.list_answers = {failure(ErrorKind::NotSent)};
  run();
  ASSERT_TRUE(error_);
  EXPECT_THROW(std::rethrow_exception(error_), std::runtime_error);
}

TEST_F(WatcherTest, EndsWithoutErrorWhenItIsCancelled) {
  client_.list_answers = {list_of("10", {})};
  run();
  EXPECT_FALSE(error_);
}

// Pauses are an hour here, and only what is ready is run: whoever does not pause uses the whole
// script up.

TEST_F(WatcherTest, PausesAfterAFailedList) {
  options_.backoff = {.first = 1h, .limit = 3h};
  client_.list_answers.assign(10, failure(ErrorKind::NotSent));
  start();
  io_.poll();
  EXPECT_EQ(client_.lists.size(), 1U);
}

TEST_F(WatcherTest, PausesAfterAWatchThatEndsAtOnceWithoutAnEvent) {
  options_.backoff = {.first = 1h, .limit = 3h};
  client_.list_answers = {list_of("10", {})};
  client_.watch_answers.assign(10, fake::WatchScript{kEndInOrder});
  start();
  io_.poll();
  EXPECT_EQ(client_.watches.size(), 1U);
}

TEST_F(WatcherTest, PausesWhenEveryWatchExpiresAtOnce) {
  options_.backoff = {.first = 1h, .limit = 3h};
  client_.list_answers.assign(10, list_of("10", {}));
  client_.watch_answers.assign(10, failure(ErrorKind::Gone));
  start();
  io_.poll();
  EXPECT_LT(client_.lists.size(), 5U) << "lists as fast as it can";
}

TEST_F(WatcherTest, ListsAgainWithoutAPauseWhenAWorkingWatchExpires) {
  options_.backoff = {.first = 1h, .limit = 3h};
  client_.list_answers = {list_of("10", {}), list_of("20", {})};
  client_.watch_answers = {fake::WatchScript{added("a", "11"), status_event(410)}};
  start();
  io_.poll();
  EXPECT_EQ(client_.lists.size(), 2U);
}

}  // namespace
}  // namespace controller
