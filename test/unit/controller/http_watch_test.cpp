#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <boost/json/value.hpp>
#include <charconv>
#include <string>
#include <vector>

#include "controller/http_kube_client.hpp"
#include "test/fake/client_fixture.hpp"

namespace controller {
namespace {

using fake::answer;
using fake::Reply;
using fake::Request;
using std::chrono::milliseconds;
using Type = WatchEvent::Type;

const std::string kHead =
    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
const std::string kEnd = "0\r\n\r\n";
const std::string kAdded = "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n";
const std::string kBookmark =
    "{\"type\":\"BOOKMARK\",\"object\":{\"metadata\":{\"resourceVersion\":\"9\"}}}\n";

std::string chunk(const std::string& data) {
  std::string size(16, '\0');
  const auto [end, error] = std::to_chars(size.data(), size.data() + size.size(), data.size(), 16);
  size.resize(static_cast<std::size_t>(end - size.data()));
  return size + "\r\n" + data + "\r\n";
}

class WatchTest : public fake::ClientFixture {
 protected:
  void stream(const std::vector<std::string>& pieces, Reply::Then then = Reply::Then::KeepOpen) {
    server_.on_request([pieces, then](const Request&) { return Reply{pieces, then}; });
  }

  Result<std::unique_ptr<WatchStream>> open() {
    WatchRequest request;
    request.collection = {kPods, ""};
    request.field_selector = "spec.nodeName=n1";
    request.resource_version = "7";
    return run(client().watch(request));
  }

  /// The types of all events, and how the stream ended.
  std::string all_events() {
    auto watch = open();
    if (!watch) return "not opened: " + watch.error().message;
    std::string out;
    while (true) {
      const auto event = run((*watch)->next());
      if (!event) return out + "error: " + event.error().message;
      if (!*event) return out + "end";
      out += "AMDBE"[static_cast<int>((*event)->type)];
      out += " ";
    }
  }

  KubeError failure_of_open_watch() {
    const auto watch = open();
    while (true) {
      const auto event = run((*watch)->next());
      if (!event) return event.error();
    }
  }

  std::string watch_url() const { return "GET " + url("/api/v1/pods"); }
};

TEST_F(WatchTest, AsksForEventsAfterTheListWithBookmarks) {
  stream({kHead, kEnd});
  EXPECT_EQ(all_events(), "end");
  const auto target = server_.requests().at(0).target;
  constexpr std::string_view kStart =
      "/api/v1/pods?allowWatchBookmarks=true&fieldSelector=spec.nodeName%3Dn1"
      "&resourceVersion=7&timeoutSeconds=";
  ASSERT_TRUE(target.starts_with(kStart)) << target;
  ASSERT_TRUE(target.ends_with("&watch=1")) << target;
  const int timeout = std::stoi(target.substr(kStart.size()));
  EXPECT_GE(timeout, 300);
  EXPECT_LT(timeout, 600);
}

TEST_F(WatchTest, NeedsAResourceVersion) {
  WatchRequest request;
  request.collection = {kPods, ""};
  EXPECT_EQ(run(client().watch(request)).error().kind, ErrorKind::Invalid);
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(WatchTest, GivesTheEventsHoweverTheyAreCut) {
  const auto events = kAdded + kBookmark + kAdded;
  stream({kHead, chunk(events), kEnd});
  EXPECT_EQ(all_events(), "A B A end");

  std::vector<std::string> small = {kHead};
  for (const char c : events) small.push_back(chunk(std::string(1, c)));
  small.push_back(kEnd);
  stream(small);
  EXPECT_EQ(all_events(), "A B A end");

  std::vector<std::string> bytes;
  for (const char c : kHead + chunk(kAdded + kBookmark.substr(0, 9)) +
                          chunk(kBookmark.substr(9) + kAdded) + kEnd) {
    bytes.emplace_back(1, c);
  }
  stream(bytes);
  EXPECT_EQ(all_events(), "A B A end");
}

TEST_F(WatchTest, IsNotLimitedInTotal) {
  options_.max_body = 1000;
  std::vector<std::string> pieces = {kHead};
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    pieces.push_back(chunk(kAdded));
    expected += "A ";
  }
  pieces.push_back(kEnd);
  stream(pieces);
  EXPECT_EQ(all_events(), expected + "end");
}

TEST_F(WatchTest, IsUnknownWhenItIsCut) {
  const std::string closed =
      "error: " + watch_url() + ": the server closed the connection before the end of its answer";
  for (const auto then : {Reply::Then::Close, Reply::Then::Cut}) {
    stream({kHead, chunk(kAdded)}, then);
    EXPECT_EQ(all_events(), "A " + closed);
    stream({kHead, chunk(kAdded), "8\r\n{\"ty"}, then);
    EXPECT_EQ(all_events(), "A " + closed);
  }
  stream({kHead, chunk(kAdded + "{\"type\""), kEnd});
  EXPECT_EQ(all_events(), "A error: " + watch_url() + ": the watch ended inside an event");
}

TEST_F(WatchTest, GivesTheEventsBeforeTheBadOne) {
  stream({kHead, chunk(kAdded + kAdded + "<html>")}, Reply::Then::Hang);
  EXPECT_EQ(all_events(),
            "A A error: " + watch_url() + ": the watch sent what is not a JSON object");
  options_.max_event = 40;
  run_until([this] { return server_.open() == 0; });
}

TEST_F(WatchTest, BoundsAnEvent) {
  options_.max_event = 40;
  stream({kHead, chunk(kAdded)}, Reply::Then::Hang);
  EXPECT_EQ(all_events(),
            "error: " + watch_url() + ": the watch sent an event of more than 40 bytes");
}

TEST_F(WatchTest, IsUnknownWhenItIsSilentForTooLong) {
  options_.watch_idle = milliseconds(100);
  stream({kHead, chunk(kAdded)}, Reply::Then::Hang);
  EXPECT_EQ(all_events(), "A error: " + watch_url() + ": the watch was silent for 100 ms");
  run_until([this] { return server_.open() == 0; });
  EXPECT_TRUE(failure_of_open_watch().silent);
  stream({kHead}, Reply::Then::Cut);
  EXPECT_FALSE(failure_of_open_watch().silent);
}

TEST_F(WatchTest, WaitsForTheHeaderOnlySoLong) {
  options_.read_timeout = milliseconds(100);
  stream({"HTTP/1.1 200 OK\r\n"}, Reply::Then::Hang);
  const auto watch = open();
  EXPECT_EQ(watch.error().kind, ErrorKind::Unknown);
  EXPECT_EQ(watch.error().message, watch_url() + ": no complete answer within 100 ms");
}

TEST_F(WatchTest, ReadsTheStatusOfARefusedWatch) {
  server_.on_request([](const Request&) {
    return answer(410,
                  R"({"kind":"Status","reason":"Expired","message":"too old resource version"})");
  });
  const auto watch = open();
  EXPECT_EQ(watch.error().kind, ErrorKind::Gone);
  EXPECT_EQ(watch.error().message, watch_url() + ": 410 Expired: too old resource version");
  server_.on_request(
      [](const Request&) { return answer(404, "404 page not found\n", "text/plain"); });
  EXPECT_EQ(open().error().kind, ErrorKind::Unknown);
  server_.on_request([](const Request&) {
    return Reply{{"HTTP/1.1 503 Oops\r\nContent-Length: 100\r\n\r\ncut"}, Reply::Then::Cut};
  });
  EXPECT_EQ(open().error().kind, ErrorKind::ServerError);
}

TEST_F(WatchTest, TriesOnceMoreAfterA401) {
  server_.on_request([this](const Request&) {
    return server_.requests().size() == 1 ? answer(401, "{}") : Reply{{kHead, chunk(kAdded), kEnd}};
  });
  EXPECT_EQ(all_events(), "A end");
}

TEST_F(WatchTest, ClosesItsConnectionWhenItIsDestroyed) {
  stream({kHead, chunk(kAdded)}, Reply::Then::Hang);
  {
    const auto watch = open();
    ASSERT_TRUE(watch) << watch.error().message;
    ASSERT_TRUE(run((*watch)->next()));
    EXPECT_EQ(server_.open(), 1);
  }
  run_until([this] { return server_.open() == 0; });
}

TEST_F(WatchTest, HasAConnectionOutsideThePool) {
  options_.max_connections = 1;
  server_.on_request([](const Request& request) {
    if (!request.target.contains("watch=1")) return answer(200, node_json("n1"));
    return Reply{{kHead, chunk(kAdded)}, Reply::Then::Hang};
  });
  const auto first = open();
  const auto second = open();
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(get_node());
  EXPECT_EQ(server_.open(), 3);
}

/// While it lives this process gets no file descriptors but those that it gives back.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const int lowest_free = dup(STDERR_FILENO);
    close(lowest_free);
    const rlimit now{static_cast<rlim_t>(lowest_free), before_.rlim_max};
    setrlimit(RLIMIT_NOFILE, &now);
  }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;
  ~NoMoreDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

TEST_F(WatchTest, TakesTheDescriptorOfAKeptConnectionWhenThereIsNoOther) {
  server_.on_request([](const Request& request) {
    return request.target.contains("watch=1") ? Reply{{kHead}, Reply::Then::KeepOpen}
                                              : answer(200, node_json("n1"));
  });
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
  GTEST_SKIP() << "UBSan looks at the type of an object by means of a file descriptor";
#endif
#endif
  ASSERT_TRUE(get_node());
  const NoMoreDescriptors limit;
  const auto failed = open();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().kind, ErrorKind::NotSent) << failed.error().message;
  run_until([this] { return server_.open() == 0; });
  const auto opened = open();
  EXPECT_TRUE(opened) << opened.error().message;
}

TEST_F(WatchTest, IsDeadAfterACancellation) {
  stream({kHead}, Reply::Then::Hang);
  const auto watch = open();
  ASSERT_TRUE(watch);
  ASSERT_TRUE(cancelled_after(20, (*watch)->next()));
  EXPECT_EQ(run((*watch)->next()).error().kind, ErrorKind::Unknown);
  run_until([this] { return server_.open() == 0; });
}

TEST_F(WatchTest, IsDeadAfterItsEnd) {
  stream({kHead, kEnd});
  const auto watch = open();
  ASSERT_TRUE(watch);
  EXPECT_EQ(run((*watch)->next()).value(), std::nullopt);
  EXPECT_EQ(run((*watch)->next()).error().message, watch_url() + ": the watch is closed");
}

}  // namespace
}  // namespace controller
