#include "controller/http_kube_client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <string>

#include "controller/log.hpp"
#include "test/fake/client_fixture.hpp"
#include "test/fake/delete_gate.hpp"

namespace controller {
namespace {

using fake::answer;
using fake::Reply;
using fake::Request;
using reconcilers::DeleteGate;
using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view kSuccess =
    R"({"kind":"Status","status":"Success","details":{"uid":"u-1"}})";

class HttpKubeClientTest : public fake::ClientFixture {
 protected:
  static constexpr Resource kPersistent{"api/v1", "persistentvolumes", "PersistentVolume", false};

  void always(const Reply& reply) {
    server_.on_request([reply](const Request&) { return reply; });
  }
  const Request& only_request() const {
    EXPECT_EQ(server_.requests().size(), 1u);
    return server_.requests().at(0);
  }
};

TEST_F(HttpKubeClientTest, GetsAnObject) {
  config_.path_prefix = "/prefix";
  always(answer(200, node_json("n1")));
  const auto object = get_node();
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(object->at("metadata").at("name"), "n1");
  const auto& request = only_request();
  EXPECT_EQ(request.method, "GET");
  EXPECT_EQ(request.target, "/prefix/api/v1/nodes/n1");
  EXPECT_EQ(request.body, "");
  const std::map<std::string, std::string> headers = {
      {"accept", "application/json"},
      {"host", "127.0.0.1:" + config_.port},
      {"user-agent", "noderemoval/" NODEREMOVAL_VERSION},
  };
  EXPECT_EQ(request.headers, headers);
}

TEST_F(HttpKubeClientTest, BelievesOnlyA404ThatNamesTheObject) {
  always(answer(404, R"({"kind":"Status","reason":"NotFound","message":"nodes \"n1\" not found",)"
                     R"("details":{"name":"n1","kind":"nodes"}})"));
  auto object = get_node();
  ASSERT_FALSE(object);
  EXPECT_EQ(object.error().kind, ErrorKind::NotFound);
  EXPECT_EQ(object.error().message,
            "GET " + url("/api/v1/nodes/n1") + ": 404 NotFound: nodes \"n1\" not found");
  always(answer(404, "<html>nginx</html>", "text/html"));
  EXPECT_EQ(get_node().error().kind, ErrorKind::Unknown);
}

TEST_F(HttpKubeClientTest, DoesNotTakeAnotherObjectForTheOneAskedFor) {
  for (const auto& body :
       {node_json("n2"), std::string(R"({"kind":"Node","metadata":{}})"),
        std::string(R"({"kind":"Pod","metadata":{"name":"n1"}})"), std::string("{}")}) {
    always(answer(200, body));
    const auto object = get_node();
    ASSERT_FALSE(object) << body;
    EXPECT_EQ(object.error().kind, ErrorKind::Unknown);
    EXPECT_EQ(object.error().message,
              "GET " + url("/api/v1/nodes/n1") +
                  ": the answer names another object than the one asked for");
  }
}

TEST_F(HttpKubeClientTest, DoesNotFollowARedirect) {
  always(answer(302, "", "text/html", "Location: https://example.com/\r\n"));
  const auto object = get_node();
  EXPECT_EQ(object.error().kind, ErrorKind::Unknown);
  EXPECT_EQ(object.error().http_status, 302);
  EXPECT_EQ(server_.requests().size(), 1u);
}

TEST_F(HttpKubeClientTest, RefusesNamesThatCannotStandInAPath) {
  for (const std::string name : {"", "a/b", "..", "n1?x"}) {
    const auto object = run(client().get(node(name)));
    ASSERT_FALSE(object) << name;
    EXPECT_EQ(object.error().kind, ErrorKind::Invalid);
  }
  EXPECT_EQ(run(client().get(node(""))).error().message,
            "GET of a Node was not sent: name is empty");
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(HttpKubeClientTest, PatchesWithAMergePatchThatIsChecked) {
  always(answer(200, node_json("n1")));
  boost::json::object patch{{"spec", {{"unschedulable", true}}}};
  const auto object = run(client().patch(node("n1"), "status", patch));
  ASSERT_TRUE(object) << object.error().message;
  const auto& request = only_request();
  EXPECT_EQ(request.method, "PATCH");
  EXPECT_EQ(request.target,
            "/api/v1/nodes/n1/status?fieldManager=noderemoval&fieldValidation=Strict");
  EXPECT_EQ(request.headers.at("content-type"), "application/merge-patch+json");
  EXPECT_EQ(request.body, R"({"spec":{"unschedulable":true}})");
}

TEST_F(HttpKubeClientTest, WritesUnderTheNameOfItsUserAndOnlyForATrial) {
  options_.field_manager = "somebody";
  options_.dry_run = true;
  always(answer(200, node_json("n1")));
  EXPECT_TRUE(run(client().patch(node("n1"), "", {})));
  always(answer(200, kSuccess));
  EXPECT_TRUE(run(client().delete_object({kPersistent, "", "x"}, "u-1")));
  static_cast<void>(get_node());
  ASSERT_EQ(server_.requests().size(), 3U);
  EXPECT_EQ(server_.requests()[0].target,
            "/api/v1/nodes/n1?dryRun=All&fieldManager=somebody&fieldValidation=Strict");
  EXPECT_EQ(server_.requests()[1].target, "/api/v1/persistentvolumes/x?dryRun=All");
  EXPECT_EQ(server_.requests()[2].target, "/api/v1/nodes/n1") << "a read is what it is";
}

TEST_F(HttpKubeClientTest, ActsAsSomebodyElse) {
  options_.as_user = "jane@example.com";
  options_.as_groups = {"ops"};
  always(answer(200, node_json("n1")));
  EXPECT_TRUE(get_node());
  const auto& headers = only_request().headers;
  EXPECT_EQ(headers.at("impersonate-user"), "jane@example.com");
  EXPECT_EQ(headers.at("impersonate-group"), "ops");
}

TEST_F(HttpKubeClientTest, CreatesInTheCollection) {
  always(answer(201, R"({"kind":"Pod","metadata":{"name":"generated","namespace":"default"}})"));
  boost::json::object named{{"metadata", {{"name", "other"}}}};
  boost::json::object unnamed{{"metadata", {{"generateName", "gen"}}}};
  EXPECT_TRUE(run(client().create({kPods, "default"}, unnamed)));
  EXPECT_EQ(run(client().create({kPods, "default"}, named)).error().kind, ErrorKind::Unknown);
  EXPECT_EQ(run(client().create({kPods, ""}, unnamed)).error().kind, ErrorKind::Invalid);
  ASSERT_EQ(server_.requests().size(), 2u);
  EXPECT_EQ(server_.requests()[0].method, "POST");
  EXPECT_EQ(server_.requests()[0].target,
            "/api/v1/namespaces/default/pods?fieldManager=noderemoval&fieldValidation=Strict");
  EXPECT_EQ(server_.requests()[0].headers.at("content-type"), "application/json");
}

TEST_F(HttpKubeClientTest, DeletesAPodByItsUid) {
  always(answer(200, kSuccess));
  EXPECT_TRUE(run(client().delete_pod(pod(), seconds(0))));
  const auto& request = only_request();
  EXPECT_EQ(request.method, "DELETE");
  EXPECT_EQ(request.target, "/api/v1/namespaces/default/pods/web-1");
  EXPECT_EQ(request.headers.at("content-type"), "application/json");
  EXPECT_EQ(
      request.body,
      R"({"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u-1"},"gracePeriodSeconds":0})");
}

TEST_F(HttpKubeClientTest, DeletesANodeByUidAndResourceVersion) {
  always(answer(200, kSuccess));
  EXPECT_TRUE(run(client().delete_node(DeleteGate::permit("n1", "u-1", "42"))));
  const auto& request = only_request();
  EXPECT_EQ(request.method, "DELETE");
  EXPECT_EQ(request.target, "/api/v1/nodes/n1");
  EXPECT_EQ(request.body, R"({"apiVersion":"v1","kind":"DeleteOptions",)"
                          R"("preconditions":{"uid":"u-1","resourceVersion":"42"}})");
}

TEST_F(HttpKubeClientTest, SendsNothingDestructiveWithoutPreconditions) {
  always(answer(200, kSuccess));
  const std::tuple<std::string, std::string, std::string> permits[] = {
      {"n1", "", "42"}, {"n1", "u-1", ""}, {"", "u-1", "42"}, {"..", "u-1", "42"}};
  for (const auto& [name, uid, version] : permits) {
    EXPECT_EQ(run(client().delete_node(DeleteGate::permit(name, uid, version))).error().kind,
              ErrorKind::Invalid);
  }
  for (const PodRef& bad :
       {PodRef{"", "web-1", "u-1"}, PodRef{"default", "", "u-1"}, PodRef{"default", "web-1", ""}}) {
    EXPECT_EQ(run(client().delete_pod(bad, {})).error().kind, ErrorKind::Invalid);
    EXPECT_EQ(run(client().evict(bad, {}, false)).error().kind, ErrorKind::Invalid);
  }
  EXPECT_EQ(run(client().delete_pod(pod(), seconds(-1))).error().kind, ErrorKind::Invalid);
  EXPECT_EQ(run(client().evict(pod(), seconds(-1), false)).error().kind, ErrorKind::Invalid);
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(HttpKubeClientTest, DoesNotBelieveADeleteOfAnotherUid) {
  for (const std::string body :
       {R"({"kind":"Status","status":"Success","details":{"uid":"u-2"}})",
        R"({"kind":"Pod","metadata":{"uid":"u-2"}})", R"({"kind":"Status","status":"Failure"})"}) {
    always(answer(200, body));
    EXPECT_EQ(run(client().delete_pod(pod(), {})).error().kind, ErrorKind::Unknown) << body;
  }
}

TEST_F(HttpKubeClientTest, EvictsByUid) {
  always(answer(201, R"({"kind":"Status","status":"Success"})"));
  EXPECT_TRUE(run(client().evict(pod(), seconds(30), false)));
  const auto& request = only_request();
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target,
            "/api/v1/namespaces/default/pods/web-1/"
            "eviction?fieldManager=noderemoval&fieldValidation=Strict");
  EXPECT_EQ(request.body,
            R"({"apiVersion":"policy/v1","kind":"Eviction",)"
            R"("metadata":{"name":"web-1","namespace":"default"},)"
            R"("deleteOptions":{"preconditions":{"uid":"u-1"},"gracePeriodSeconds":30}})");
}

TEST_F(HttpKubeClientTest, LogsWhereTheServerQueuedARequestWhenAskedTo) {
  always(answer(200, node_json("n1"), "application/json",
                "X-Kubernetes-PF-FlowSchema-UID: f-1\r\n"
                "X-Kubernetes-PF-PriorityLevel-UID: p-1\r\n"));
  testing::internal::CaptureStderr();
  EXPECT_TRUE(get_node());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  set_log_level(LogLevel::Debug);
  testing::internal::CaptureStderr();
  EXPECT_TRUE(get_node());
  set_log_level(LogLevel::Info);
  const auto line = testing::internal::GetCapturedStderr();
  for (const auto part : {"method=\"GET\"", "path=\"/api/v1/nodes/n1\"", "status=\"200\"",
                          "flowSchema=\"f-1\"", "priorityLevel=\"p-1\""}) {
    EXPECT_THAT(line, testing::HasSubstr(part));
  }
}

TEST_F(HttpKubeClientTest, LetsEvictionsAndDeletionsWaitForTheirTurn) {
  options_.deletions_per_second = 1;
  always(answer(200, R"({"kind":"Status","status":"Success"})"));
  const auto started = std::chrono::steady_clock::now();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(run(client().evict(pod(), {}, true)));  // a dry run
  EXPECT_TRUE(run(client().evict(pod(), {}, false)));
  EXPECT_TRUE(run(client().delete_pod(pod(), {})));
  EXPECT_TRUE(run(client().delete_pod(pod(), std::chrono::seconds(0))));
  EXPECT_TRUE(run(client().evict(pod(), {}, false)));
  EXPECT_GE(std::chrono::steady_clock::now() - started, std::chrono::seconds(1));
}

TEST_F(HttpKubeClientTest, EvictsWithTheOlderVersionOnAnOlderServer) {
  server_.on_request([](const Request& request) {
    if (request.target == "/version") return answer(200, R"({"major":"1","minor":"20+"})");
    if (request.body.contains("\"policy/v1\""))
      return answer(400, R"({"kind":"Status","reason":"BadRequest"})");
    return answer(201, R"({"kind":"Status","status":"Success"})");
  });
  EXPECT_TRUE(run(client().evict(pod(), {}, false)));
  EXPECT_EQ(server_.requests().size(), 3u);
  EXPECT_TRUE(run(client().evict(pod(), {}, false)));
  EXPECT_EQ(server_.requests().size(), 4u);
  EXPECT_TRUE(server_.requests().back().body.contains("policy/v1beta1"));
}

TEST_F(HttpKubeClientTest, EvictsSeveralPodsAtOnceOnAnOlderServer) {
  server_.on_request([](const Request& request) {
    if (request.method == "GET" && request.target != "/version")
      return answer(200, node_json("n1"));
    if (request.target == "/version") return answer(200, R"({"major":"1","minor":"20+"})");
    if (request.body.contains("\"policy/v1\""))
      return answer(400, R"({"kind":"Status","reason":"BadRequest"})");
    return answer(201, R"({"kind":"Status","status":"Success"})");
  });
  // On the kept connection the first is so fast that it knows the version before the others are
  // refused.
  ASSERT_TRUE(get_node());
  int evicted = 0;
  for (int i = 0; i < 4; ++i) {
    boost::asio::co_spawn(io_, client().evict(pod(), {}, false),
                          [&](const std::exception_ptr&, const Result<void>& result) {
                            EXPECT_TRUE(result) << result.error().message;
                            ++evicted;
                          });
  }
  run_until([&] { return evicted == 4; });
}

TEST_F(HttpKubeClientTest, AsksForTheVersionOfANewerServerOnlyOnce) {
  server_.on_request([](const Request& request) {
    if (request.target == "/version") return answer(200, R"({"major":"1","minor":"36"})");
    return answer(400, R"({"kind":"Status","reason":"BadRequest"})");
  });
  EXPECT_EQ(run(client().evict(pod(), {}, false)).error().kind, ErrorKind::Invalid);
  EXPECT_EQ(run(client().evict(pod(), {}, false)).error().kind, ErrorKind::Invalid);
  EXPECT_EQ(server_.requests().size(), 3u);
}

TEST_F(HttpKubeClientTest, ListsAllPages) {
  server_.on_request([](const Request& request) {
    const bool second = request.target.contains("continue=a%2Bb");
    return answer(
        200, second ? R"({"kind":"PodList","metadata":{"resourceVersion":"7"},"items":[{"a":3}]})"
                    : R"({"kind":"PodList","metadata":{"resourceVersion":"7","continue":"a+b"},)"
                      R"("items":[{"a":1},{"a":2}]})");
  });
  ListRequest request;
  request.collection = {kPods, ""};
  request.field_selector = "spec.nodeName=n1";
  request.resource_version = "5";
  const auto list = run(client().list(request));
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->items.size(), 3u);
  EXPECT_EQ(list->resource_version, "7");
  ASSERT_EQ(server_.requests().size(), 2u);
  EXPECT_EQ(server_.requests()[0].target,
            "/api/v1/pods?fieldSelector=spec.nodeName%3Dn1&limit=500&resourceVersion=5");
  EXPECT_EQ(server_.requests()[1].target,
            "/api/v1/pods?continue=a%2Bb&fieldSelector=spec.nodeName%3Dn1&limit=500");
}

TEST_F(HttpKubeClientTest, ListsFromTheWatchCacheWithoutALimit) {
  always(answer(200, R"({"kind":"NodeList","metadata":{"resourceVersion":"7"},"items":[]})"));
  ListRequest request;
  request.collection = {kNodes, ""};
  request.label_selector = "a in (b)";
  request.resource_version = "0";
  EXPECT_TRUE(run(client().list(request)));
  EXPECT_EQ(only_request().target,
            "/api/v1/nodes?labelSelector=a%20in%20%28b%29&resourceVersion=0");
}

TEST_F(HttpKubeClientTest, GivesNoPartOfAList) {
  const std::string first =
      R"({"kind":"NodeList","metadata":{"resourceVersion":"7","continue":"x"},"items":[{}]})";
  ListRequest request;
  request.collection = {kNodes, ""};
  server_.on_request([&](const Request& received) {
    if (!received.target.contains("continue=")) return answer(200, first);
    return answer(410, R"({"kind":"Status","reason":"Expired","message":"too old"})");
  });
  EXPECT_EQ(run(client().list(request)).error().kind, ErrorKind::Gone);
  always(answer(200, first));  // the same page for ever
  EXPECT_EQ(run(client().list(request)).error().message,
            "GET " + url("/api/v1/nodes") + ": the list has no end");
  always(answer(200, R"({"kind":"NodeList","metadata":{"resourceVersion":"7"},"items":null})"));
  EXPECT_EQ(run(client().list(request)).error().kind, ErrorKind::Unknown);
}

class TokenTest : public HttpKubeClientTest {
 protected:
  TokenTest() : path_(testing::TempDir() + "token-" + config_.port) { config_.token_file = path_; }
  ~TokenTest() override { std::remove(path_.c_str()); }
  void write(const std::string& token) const { std::ofstream(path_) << token; }
  std::string path_;
};

TEST_F(TokenTest, TriesOnceMoreWithAFreshTokenAfterA401) {
  write("old");
  server_.on_request([this](const Request& request) {
    if (request.headers.at("authorization") == "Bearer new") return answer(200, kSuccess);
    write("new");
    return answer(401, R"({"kind":"Status","reason":"Unauthorized","message":"Unauthorized"})");
  });
  EXPECT_TRUE(run(client().delete_pod(pod(), {})));
  EXPECT_EQ(server_.requests().size(), 2u);
}

TEST_F(TokenTest, ShowsNoPartOfATokenThatWouldBeCut) {
  const std::string token(1000, 'k');
  write(token);
  for (const std::size_t before : {0U, 100U, 600U}) {
    server_.on_request([before](const Request& request) {
      const auto page = std::string(before, 'p') + request.headers.at("authorization") + "qqq";
      return answer(502, page, "text/html");
    });
    EXPECT_THAT(get_node().error().message, Not(HasSubstr("kkkk"))) << before;
    server_.on_request([](const Request& request) {
      const auto status = R"({"kind":"Status","reason":")" + request.headers.at("authorization") +
                          R"(","message":")" + request.headers.at("authorization") +
                          R"(","details":{"causes":[{"message":")" +
                          request.headers.at("authorization") + R"("}]}})";
      return answer(403, status);
    });
    const auto error = get_node().error();
    ASSERT_EQ(error.causes.size(), 1U);
    EXPECT_THAT(error.message + error.reason + error.causes[0].message, Not(HasSubstr("kkkk")));
  }
}

TEST_F(TokenTest, GivesUpAfterTheSecond401AndNeverShowsTheToken) {
  write("very-secret");
  server_.on_request([](const Request& request) {
    return answer(401, "you sent " + request.headers.at("authorization"), "text/plain");
  });
  const auto error = get_node().error();
  EXPECT_EQ(error.kind, ErrorKind::Unauthorized);
  EXPECT_EQ(error.message,
            "GET " + url("/api/v1/nodes/n1") +
                ": 401 without a Status of the API server: you sent Bearer [redacted]");
  EXPECT_EQ(server_.requests().size(), 2u);
}

}  // namespace
}  // namespace controller
