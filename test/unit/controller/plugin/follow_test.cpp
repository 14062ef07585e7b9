#include "controller/plugin/follow.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <csignal>

#include "controller/log.hpp"
#include "test/fake/scripted_kube_client.hpp"
#include "test/unit/controller/plugin/removals.hpp"

namespace plugin {
namespace {

using namespace std::chrono_literals;
using controller::ErrorKind;
using controller::KubeError;
using controller::WatchEvent;
using testing::Contains;
using testing::ElementsAre;

boost::json::object version(const std::string& number, boost::json::object object) {
  object["metadata"].as_object()["resourceVersion"] = number;
  return object;
}

const boost::json::object kBlocked = object_of(kJetson, blocked_status());
const boost::json::object kEnded =
    version("11", object_of(kJetson, ended_status("True", "NodeRemoved", "All done.")));

auto failure(ErrorKind kind, const std::string& message) {
  KubeError error;
  error.kind = kind;
  error.message = message;
  return std::unexpected(std::move(error));
}

/// What was shown, in words.
class Notes final : public View {
 public:
  std::vector<std::string> lines;
  std::function<void()> on_show = [] {};
  void show(const crd::NodeRemoval& removal, crd::TimePoint, const std::string& trouble) override {
    const auto* summary = removal.status.conditions.find("Succeeded");
    lines.push_back((summary == nullptr ? "" : summary->reason) + trouble);
    on_show();
  }
};

class FollowTest : public testing::Test {
 protected:
  fake::ScriptedKubeClient client_;
  Notes view_;
  std::optional<std::chrono::seconds> timeout_;

  void SetUp() override { controller::set_log_level(controller::LogLevel::Error); }
  void TearDown() override { controller::set_log_level(controller::LogLevel::Info); }

  void lists(std::vector<boost::json::object> items) {
    client_.list_answers.push_back(
        controller::List{.resource_version = "10", .items = std::move(items)});
  }

  Followed run(const boost::json::object& object) {
    boost::asio::io_context io;
    std::optional<Followed> result;
    boost::asio::co_spawn(io, follow_with_interrupts(object),
                          [&](const std::exception_ptr& error, Followed followed) {
                            if (error) std::rethrow_exception(error);
                            result = std::move(followed);
                          });
    io.run_for(20s);
    EXPECT_TRUE(result);
    return result.value_or(Followed{});
  }

 private:
  boost::asio::awaitable<Followed> follow_with_interrupts(boost::json::object object) {
    Interrupts interrupts{co_await boost::asio::this_coro::executor};
    FollowOptions options{
        .until = [](const crd::NodeRemoval& removal) { return removal.status.is_terminal(); },
        .timeout = timeout_,
        .backoff = {.first = 250ms, .limit = 500ms}};
    co_return co_await follow(client_, std::move(object), std::move(options), view_, interrupts);
  }
};

TEST_F(FollowTest, EndsWhenTheRemovalHasEnded) {
  lists({kBlocked});
  client_.watch_answers.push_back(
      fake::WatchScript{WatchEvent{.type = WatchEvent::Type::Modified, .object = kEnded}});
  const auto followed = run(kBlocked);
  EXPECT_EQ(followed.end, FollowEnd::Reached);
  EXPECT_EQ(followed.object, kEnded);
  EXPECT_EQ(client_.lists.at(0).field_selector, "metadata.name=jetson");
  EXPECT_THAT(view_.lines, ElementsAre("DrainBlocked", "NodeRemoved"));
}

TEST_F(FollowTest, AsksNobodyAboutOneThatHasEnded) {
  EXPECT_EQ(run(kEnded).end, FollowEnd::Reached);
  EXPECT_TRUE(client_.lists.empty());
}

TEST_F(FollowTest, NoticesThatItWasDeleted) {
  lists({kBlocked});
  client_.watch_answers.push_back(fake::WatchScript{
      WatchEvent{.type = WatchEvent::Type::Deleted, .object = version("12", kBlocked)}});
  EXPECT_EQ(run(kBlocked).end, FollowEnd::Gone);
}

TEST_F(FollowTest, TakesOneThatWasDeletedAfterItsEndForEnded) {
  lists({kBlocked});
  client_.watch_answers.push_back(
      fake::WatchScript{WatchEvent{.type = WatchEvent::Type::Deleted, .object = kEnded}});
  EXPECT_EQ(run(kBlocked).end, FollowEnd::Reached) << "its time to live was over";
}

TEST_F(FollowTest, NoticesThatItWasDeletedBetweenTwoWatches) {
  lists({});
  EXPECT_EQ(run(kBlocked).end, FollowEnd::Gone);
}

TEST_F(FollowTest, DoesNotTakeASuccessorForIt) {
  auto other = kEnded;
  other["metadata"].as_object()["uid"] = "r-2";
  lists({other});
  EXPECT_EQ(run(kBlocked).end, FollowEnd::Gone);
}

TEST_F(FollowTest, DoesNotGoBackToAnOlderState) {
  lists({version("9", object_of(kJetson, ""))});
  client_.watch_answers.push_back(
      fake::WatchScript{WatchEvent{.type = WatchEvent::Type::Modified, .object = kEnded}});
  EXPECT_EQ(run(kBlocked).end, FollowEnd::Reached);
  EXPECT_THAT(view_.lines, ElementsAre("DrainBlocked", "NodeRemoved"));
}

TEST_F(FollowTest, SaysThatTheServerIsAwayAndWaitsForIt) {
  client_.list_answers.push_back(failure(ErrorKind::NotSent, " no answer"));
  lists({kBlocked});
  client_.watch_answers.push_back(failure(ErrorKind::NotSent, " cut"));
  client_.watch_answers.push_back(fake::WatchScript{failure(ErrorKind::Unknown, " silent")});
  client_.watch_answers.push_back(
      fake::WatchScript{WatchEvent{.type = WatchEvent::Type::Modified, .object = kEnded}});
  EXPECT_EQ(run(kBlocked).end, FollowEnd::Reached);
  EXPECT_THAT(view_.lines, Contains("DrainBlocked no answer"));
  EXPECT_THAT(view_.lines, Contains("DrainBlocked cut"));
  EXPECT_EQ(view_.lines.back(), "NodeRemoved");
}

TEST_F(FollowTest, GivesUpWhenItMayNotLook) {
  client_.list_answers.push_back(failure(ErrorKind::Forbidden, "403 Forbidden"));
  const auto followed = run(kBlocked);
  EXPECT_EQ(followed.end, FollowEnd::Failed);
  EXPECT_EQ(followed.error, "403 Forbidden");
}

TEST_F(FollowTest, EndsAfterItsTime) {
  timeout_ = 1s;
  lists({kBlocked});
  client_.watch_answers.push_back(fake::WatchScript{});
  EXPECT_EQ(run(kBlocked).end, FollowEnd::TimedOut);
}

TEST_F(FollowTest, EndsAtASignal) {
  lists({kBlocked});
  client_.watch_answers.push_back(fake::WatchScript{});
  view_.on_show = [this] {
    if (view_.lines.size() == 1) ::raise(SIGINT);
  };
  EXPECT_EQ(run(kBlocked).end, FollowEnd::Interrupted);
}

}  // namespace
}  // namespace plugin
