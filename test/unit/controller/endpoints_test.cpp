#include "controller/endpoints.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <filesystem>
#include <fstream>

#include "test/fake/loop_fixture.hpp"
#include "test/fake/scripted_kube_client.hpp"
#include "test/fake/test_certificates.hpp"
#include "test/fake/web_client.hpp"

namespace controller {
namespace {

namespace json = boost::json;
using fake::body_of;
using fake::get;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

class EndpointsTest : public fake::LoopFixture {
 protected:
  EndpointsTest() {
    options_.health = ListenAddress{"127.0.0.1", 0};
    options_.metrics = ListenAddress{"127.0.0.1", 0};
    std::filesystem::create_directories(folder_);
  }
  ~EndpointsTest() override { std::filesystem::remove_all(folder_); }

  auto handle(const WebHandler& handler, const std::string& path) {
    WebRequest request;
    request.path = path;
    return run(handler(request));
  }

  std::string file(const std::string& name, const std::string& text) {
    const auto path = folder_ / name;
    std::ofstream{path} << text;
    return path.string();
  }

  fake::Identity issue() const {
    fake::CertificateRequest request;
    request.subject_alt_name = "IP:127.0.0.1";
    return ca_.issue(request);
  }

  std::expected<std::unique_ptr<Endpoints>, std::string> open() {
    return Endpoints::open(io_.get_executor(), options_, client_, metrics_, [] { return ""; });
  }

  static json::object token_review(const char* username) {
    const json::object user{{"username", username}, {"groups", json::array{"system:monitoring"}}};
    return {{"kind", "TokenReview"},
            {"status", json::object{{"authenticated", true}, {"user", user}}}};
  }
  static json::object access_review(bool allowed) {
    return {{"kind", "SubjectAccessReview"}, {"status", json::object{{"allowed", allowed}}}};
  }

  fake::CertificateAuthority ca_;
  std::filesystem::path folder_ = std::filesystem::path(testing::TempDir()) /
                                  ("endpoints-" + std::to_string(::getpid()) + "-" +
                                   testing::UnitTest::GetInstance()->current_test_info()->name());
  EndpointOptions options_;
  Metrics metrics_{"127.0.0.1:6443"};
  fake::ScriptedKubeClient client_;
};

TEST_F(EndpointsTest, SayThatTheProcessLivesWhateverIsMissing) {
  const auto handler = health_handler([] { return "everything"; });
  EXPECT_EQ(handle(handler, "/healthz").status, 200);
}

TEST_F(EndpointsTest, AreReadyOnlyWhenNothingIsMissing) {
  std::string missing = "the NodeRemovals have not been read yet";
  const auto handler = health_handler([&] { return missing; });
  auto answer = handle(handler, "/readyz");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.body, "the NodeRemovals have not been read yet\n");
  missing.clear();
  answer = handle(handler, "/readyz");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "ok\n");
}

TEST_F(EndpointsTest, KnowNoOtherPaths) {
  const auto health = health_handler([] { return ""; });
  const auto metrics = metrics_handler(metrics_, nullptr);
  for (const auto path : {"/", "/metrics/", "/healthz/x", "", "/metricsx", "*"}) {
    EXPECT_EQ(handle(health, path).status, 404) << path;
    EXPECT_EQ(handle(metrics, path).status, 404) << path;
  }
}

TEST_F(EndpointsTest, ServeTheMetricsInTheTextFormat) {
  const auto answer = handle(metrics_handler(metrics_, nullptr), "/metrics");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(answer.body, HasSubstr("# TYPE workqueue_depth gauge\n"));
}

TEST_F(EndpointsTest, NameTheOptionThatIsWrong) {
  const auto key = file("tls.key", "");
  options_.metrics_certificate_file = (folder_ / "absent").string();
  options_.metrics_key_file = key;
  auto endpoints = open();
  ASSERT_FALSE(endpoints);
  EXPECT_THAT(endpoints.error(), StartsWith("--metrics-tls-cert-file"));
  EXPECT_THAT(endpoints.error(), HasSubstr("absent: No such file or directory"));

  options_ = {};
  options_.metrics.reset();
  options_.health = ListenAddress{"192.0.2.1", 0};  // of no machine (RFC 5737)
  endpoints = open();
  ASSERT_FALSE(endpoints);
  EXPECT_THAT(endpoints.error(), StartsWith("--health-address: cannot listen on 192.0.2.1:0: "));
}

/// The real way: TLS, a handler, and reviews.
class SecureMetricsTest : public EndpointsTest {
 protected:
  void SetUp() override {
    const auto identity = issue();
    auto tls = TlsServer::open(file("tls.crt", identity.certificate_pem),
                               file("tls.key", identity.key_pem));
    ASSERT_TRUE(tls) << tls.error();
    WebServerSettings settings;
    settings.address = {"127.0.0.1", 0};
    settings.tls = std::move(*tls);
    auto server = WebServer::open(io_.get_executor(), std::move(settings),
                                  metrics_handler(metrics_, &access_));
    ASSERT_TRUE(server) << server.error();
    server_ = std::move(*server);
    tasks_.spawn(server_->run(tasks_));
  }

  void TearDown() override {
    tasks_.cancel();
    EndpointsTest::TearDown();
  }

  std::string scrape(const std::string& headers = "") {
    return run(fake::ask_tls(server_->address().port, ca_.pem(), get("/metrics", headers)));
  }

  ScrapeAccess access_{client_};
  std::unique_ptr<WebServer> server_;
  TaskGroup tasks_{io_.get_executor()};
};

TEST_F(SecureMetricsTest, GoToAUserWithTheRight) {
  client_.create_answers = {token_review("prometheus"), access_review(true)};
  const auto answer = scrape("Authorization: Bearer the-token\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("noderemoval_build_info"));
  ASSERT_THAT(client_.creates, SizeIs(2));
  EXPECT_EQ(json::serialize(client_.creates[0].second),
            R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview",)"
            R"("spec":{"token":"the-token"}})");
  EXPECT_EQ(json::serialize(client_.creates[1].second),
            R"({"apiVersion":"authorization.k8s.io/v1","kind":"SubjectAccessReview",)"
            R"("spec":{"nonResourceAttributes":{"path":"/metrics","verb":"get"},)"
            R"("user":"prometheus","groups":["system:monitoring"]}})");
}

TEST_F(SecureMetricsTest, GoToNobodyWithoutAToken) {
  const auto answer = scrape();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 401 Unauthorized\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nWWW-Authenticate: Bearer\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("workqueue")));
  EXPECT_THAT(client_.creates, IsEmpty());
}

TEST_F(SecureMetricsTest, GoToNobodyWithoutTheRight) {
  client_.create_answers = {token_review("somebody"), access_review(false)};
  const auto answer = scrape("Authorization: Bearer the-token\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("workqueue")));
}

TEST_F(SecureMetricsTest, GoToNobodyWhileTheApiServerDoesNotAnswer) {
  client_.create_answers.push_back(std::unexpected(KubeError{}));
  EXPECT_THAT(scrape("Authorization: Bearer the-token\r\n"),
              StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
}

TEST_F(SecureMetricsTest, AreNotServedWithoutTls) {
  const auto answer = run(fake::ask_plain(server_->address().port, get("/metrics")));
  EXPECT_THAT(answer, Not(HasSubstr("HTTP/1.1 200")));
  EXPECT_THAT(client_.creates, IsEmpty());
}

TEST_F(SecureMetricsTest, UseACertificateThatWasRenewed) {
  EXPECT_THAT(scrape(), StartsWith("HTTP/1.1 401"));
  const fake::CertificateAuthority other{"the next CA"};
  fake::CertificateRequest request;
  request.subject_alt_name = "IP:127.0.0.1";
  const auto next = other.issue(request);
  file("tls.crt", next.certificate_pem);
  // Half way through: the certificate is new, the key is not.
  EXPECT_THAT(scrape(), StartsWith("HTTP/1.1 401")) << "the old pair stays";
  file("tls.key", next.key_pem);
  EXPECT_EQ(scrape(), "no TLS") << "its authority is another one now";
  const auto answer = run(fake::ask_tls(server_->address().port, other.pem(), get("/metrics")));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 401"));
}

}  // namespace
}  // namespace controller
