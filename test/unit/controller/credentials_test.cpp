#include "controller/credentials.hpp"

#include <gtest/gtest.h>

#include "test/fake/client_fixture.hpp"
#include "test/fake/temporary_folder.hpp"

// How the client logs in while its credentials change, over real TLS and with real plugins.

namespace controller {
namespace {

using fake::answer;
using fake::CertificateRequest;
using fake::Identity;
using fake::Reply;
using fake::Request;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::string_view kUnauthorized =
    R"({"kind":"Status","reason":"Unauthorized","message":"Unauthorized"})";

class CredentialsTest : public fake::ClientFixture {
 protected:
  CredentialsTest() {
    options_.clock = [this] { return now_; };
    answer_all();
  }

  void answer_all() {
    server_.on_request([](const Request&) { return answer(200, node_json("n1")); });
  }
  Identity identity(const std::string& name) const {
    CertificateRequest request;
    request.common_name = name;
    return ca_.issue(request);
  }
  void use(const Identity& one) {
    config_.client_certificate_pem = one.certificate_pem;
    config_.client_key_pem = one.key_pem;
    config_.client_certificate_file = folder_.write("tls.crt", one.certificate_pem);
    config_.client_key_file = folder_.write("tls.key", one.key_pem);
  }
  void plugin(const std::string& script) {
    ExecPlugin exec;
    exec.api_version = "client.authentication.k8s.io/v1";
    exec.command = folder_.write_script(
        "plugin", "echo run >> " + (folder_ / "runs").string() + "\n" + script);
    config_.exec = exec;
  }
  std::string printing(const std::string& status) const {
    return "cat << END\n{\"kind\":\"ExecCredential\",\"apiVersion\":"
           "\"client.authentication.k8s.io/v1\",\"status\":" +
           status + "}\nEND\n";
  }
  /// Sets $n to the number of this run.
  std::string counting() const { return "n=$(wc -l < " + (folder_ / "runs").string() + ")\n"; }
  static std::string json(const std::string& pem) {
    std::string out = "\"";
    for (const char c : pem) out += c == '\n' ? std::string("\\n") : std::string(1, c);
    return out + "\"";
  }
  std::string printing(const Identity& one) const {
    return printing("{\"clientCertificateData\":" + json(one.certificate_pem) +
                    ",\"clientKeyData\":" + json(one.key_pem) + "}");
  }
  auto runs() const { return std::ranges::count(folder_.read("runs"), '\n'); }
  std::string error() {
    const auto object = get_node();
    return object ? "no error" : object.error().message;
  }
  std::string last(const std::string& header) const {
    const auto& headers = server_.requests().back().headers;
    const auto found = headers.find(header);
    return found == headers.end() ? "" : found->second;
  }
  std::unique_ptr<WatchStream> watch() {
    server_.on_request([](const Request& request) {
      if (!request.target.contains("watch=")) return answer(200, node_json("n1"));
      Reply reply;
      reply.pieces.push_back(
          "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
          "Transfer-Encoding: chunked\r\n\r\n");
      reply.then = Reply::Then::Hang;
      return reply;
    });
    WatchRequest request;
    request.collection = {kNodes, ""};
    request.resource_version = "1";
    auto opened = run(client().watch(request));
    EXPECT_TRUE(opened) << opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }

  fake::TemporaryFolder folder_;
  std::chrono::steady_clock::time_point now_ = std::chrono::steady_clock::now();
};

TEST_F(CredentialsTest, SendsTheNewTokenOfItsFileAfterAMinute) {
  config_.token_file = folder_.write("token", "one");
  ASSERT_TRUE(get_node());
  folder_.write("token", "two");
  ASSERT_TRUE(get_node());
  EXPECT_EQ(last("authorization"), "Bearer one");
  now_ += seconds(60);
  ASSERT_TRUE(get_node());
  EXPECT_EQ(last("authorization"), "Bearer two");
  folder_.write("token", "");
  now_ += seconds(60);
  ASSERT_TRUE(get_node());
  EXPECT_EQ(last("authorization"), "Bearer two");
}

TEST_F(CredentialsTest, TrustsTheNewCaAndClosesIdleConnections) {
  config_.ca_file = folder_.write("ca.crt", config_.ca_pem);
  ASSERT_TRUE(get_node());
  const fake::CertificateAuthority other("other CA");
  server_.show_certificate(other.issue(loopback()));
  ASSERT_TRUE(get_node());  // on the connection that is open
  EXPECT_EQ(server_.connections(), 1);
  folder_.write("ca.crt", ca_.pem() + other.pem());
  now_ += minutes(5);
  EXPECT_EQ(error(), "no error");
  EXPECT_EQ(server_.connections(), 2);
  EXPECT_EQ(server_.open(), 1);
}

TEST_F(CredentialsTest, LooksForANewCaWhenTheServerIsNotTrusted) {
  config_.ca_file = folder_.write("ca.crt", config_.ca_pem);
  const fake::CertificateAuthority other("other CA");
  server_.show_certificate(other.issue(loopback()));
  EXPECT_TRUE(error().contains("check certificate-authority"));
  folder_.write("ca.crt", "");
  EXPECT_TRUE(error().contains("check certificate-authority"));
  folder_.write("ca.crt", other.pem());
  EXPECT_EQ(error(), "no error");
}

TEST_F(CredentialsTest, LetsAWatchGoOnWhenTheCaChanges) {
  config_.ca_file = folder_.write("ca.crt", config_.ca_pem);
  const auto stream = watch();
  ASSERT_TRUE(get_node());
  folder_.write("ca.crt", ca_.pem() + fake::CertificateAuthority("new").pem());
  now_ += minutes(5);
  ASSERT_TRUE(get_node());
  EXPECT_EQ(server_.open(), 2);
}

TEST_F(CredentialsTest, ShowsTheNewClientCertificateAndEndsAllConnectionsOfTheOldOne) {
  server_.demand_certificate(ca_.pem());
  use(identity("one"));
  const auto stream = watch();
  ASSERT_TRUE(get_node());
  EXPECT_EQ(server_.requests().back().client, "one");
  use(identity("two"));
  now_ += minutes(5);
  ASSERT_TRUE(get_node());
  EXPECT_EQ(server_.requests().back().client, "two");
  const auto event = run(stream->next());
  ASSERT_FALSE(event);
  EXPECT_TRUE(event.error().message.ends_with(": the client certificate has changed"))
      << event.error().message;
  run_until([this] { return server_.open() == 1; });
}

TEST_F(CredentialsTest, EndsAReadThatWaitsWhenTheClientCertificateChanges) {
  server_.demand_certificate(ca_.pem());
  use(identity("one"));
  const auto stream = watch();
  std::optional<std::string> end;
  boost::asio::co_spawn(io_, stream->next(), [&](const std::exception_ptr&, auto event) {
    end = event ? "an event" : event.error().message;
  });
  use(identity("two"));
  now_ += minutes(5);
  ASSERT_TRUE(get_node());
  run_until([&] { return end.has_value(); });
  EXPECT_TRUE(end->ends_with(": the client certificate has changed")) << *end;
}

TEST_F(CredentialsTest, KeepsTheOldClientCertificateWhenTheFilesAreBad) {
  server_.demand_certificate(ca_.pem());
  use(identity("one"));
  ASSERT_TRUE(get_node());
  folder_.write("tls.key", identity("two").key_pem);
  now_ += minutes(5);
  ASSERT_TRUE(get_node());
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(CredentialsTest, RunsAPluginOnceAndSendsItsToken) {
  plugin(printing(R"({"token":"abc"})"));
  ASSERT_TRUE(get_node()) << error();
  ASSERT_TRUE(get_node());
  EXPECT_EQ(last("authorization"), "Bearer abc");
  EXPECT_EQ(runs(), 1);
}

TEST_F(CredentialsTest, RunsAPluginAgainShortlyBeforeItsTokenEnds) {
  plugin(counting() + "end=$(date -u -d '1 hour' +%FT%TZ)\n" +
         printing(R"({"token":"$n","expirationTimestamp":"$end"})"));
  ASSERT_TRUE(get_node()) << error();
  now_ += minutes(58);
  ASSERT_TRUE(get_node());
  EXPECT_EQ(last("authorization"), "Bearer 1");
  now_ += seconds(70);
  ASSERT_TRUE(get_node());
  EXPECT_EQ(last("authorization"), "Bearer 2");
}

TEST_F(CredentialsTest, RunsAPluginAgainAfterA401) {
  plugin(counting() + printing(R"({"token":"$n"})"));
  ASSERT_TRUE(get_node()) << error();
  now_ += minutes(1);
  server_.on_request([](const Request& request) {
    const bool fresh = request.headers.at("authorization") == "Bearer 2";
    return fresh ? answer(200, node_json("n1")) : answer(401, kUnauthorized);
  });
  ASSERT_TRUE(get_node()) << error();
  EXPECT_EQ(runs(), 2);
}

TEST_F(CredentialsTest, DoesNotRunAPluginForEvery401) {
  plugin(printing(R"({"token":"very-secret"})"));
  server_.on_request([](const Request& request) {
    return answer(401, "you sent " + request.headers.at("authorization"), "text/plain");
  });
  for (int i = 0; i < 5; ++i) {
    EXPECT_TRUE(error().ends_with("you sent Bearer [redacted]")) << error();
    now_ += seconds(6);
  }
  EXPECT_EQ(runs(), 2);
}

TEST_F(CredentialsTest, SaysBothThatTheServerRefusedAndThatThePluginFailed) {
  plugin("test -e " + (folder_ / "ran").string() + " && { echo no network >&2; exit 1; }\ntouch " +
         (folder_ / "ran").string() + "\n" + printing(R"({"token":"abc"})"));
  ASSERT_TRUE(get_node()) << error();
  now_ += minutes(1);
  server_.on_request([](const Request&) { return answer(401, kUnauthorized); });
  const auto failed = get_node().error();
  EXPECT_EQ(failed.kind, ErrorKind::Unauthorized);
  EXPECT_EQ(failed.message,
            "GET " + url("/api/v1/nodes/n1") + ": 401 Unauthorized: Unauthorized (exec plugin " +
                config_.exec->command + " ended with exit code 1; it wrote: no network)");
}

TEST_F(CredentialsTest, ShowsTheClientCertificateThatAPluginPrints) {
  server_.demand_certificate(ca_.pem());
  plugin(printing(identity("plugin-1")));
  ASSERT_TRUE(get_node()) << error();
  EXPECT_EQ(server_.requests().back().client, "plugin-1");
  EXPECT_EQ(last("authorization"), "");
  const auto stream = watch();
  plugin(printing(identity("plugin-2")));
  now_ += minutes(60);
  ASSERT_TRUE(get_node()) << error();
  EXPECT_EQ(server_.requests().back().client, "plugin-2");
  EXPECT_FALSE(run(stream->next()));
}

TEST_F(CredentialsTest, SaysWhatAPluginDidWrongAndNeverShowsItsSecrets) {
  const auto name =
      "GET " + url("/api/v1/nodes/n1") + ": exec plugin " + (folder_ / "plugin").string();
  const std::pair<std::string, std::string> cases[] = {
      {"exit 7", " ended with exit code 7; it wrote nothing to standard error"},
      {"echo please log in >&2; exit 1", " ended with exit code 1; it wrote: please log in"},
      {"echo eyJhunter2.x >&2; exit 1", " ended with exit code 1; it wrote: [redacted]"},
      {printing(R"({"token":"hunter2"})") + "echo using hunter2 >&2; exit 1",
       " ended with exit code 1; it wrote: using [redacted]"},
      {"echo $MY_TOKEN $2 >&2; exit 1", " ended with exit code 1; it wrote: [redacted] [redacted]"},
      {"echo hunter2", ": it did not print a JSON object; it wrote nothing to standard error"},
      {printing(R"({"token":"hunter2 x"})"),
       ": its token has a space, a control character or a non-ASCII character; it wrote nothing to "
       "standard error"},
      {"cat /dev/zero",
       " printed more than 1048576 bytes and was killed; it wrote nothing to "
       "standard error"},
  };
  for (const auto& [script, why] : cases) {
    plugin(script);
    config_.exec->env = {{"MY_TOKEN", "hunter2-env"}};
    config_.exec->args = {"--client-secret", "hunter2-arg"};
    forget_client();
    EXPECT_EQ(error(), name + why);
  }
  EXPECT_EQ(server_.connections(), 0);
}

TEST_F(CredentialsTest, KillsAPluginThatDoesNotEnd) {
  options_.plugin_timeout = std::chrono::milliseconds(200);
  plugin("echo waiting for a browser >&2; sleep 1000");
  EXPECT_TRUE(error().ends_with(
      " did not end within 200 ms and was killed; it wrote: waiting for a browser"));
}

TEST_F(CredentialsTest, SaysThatThePluginIsGone) {
  plugin("");
  config_.exec->install_hint = "see the wiki";
  std::filesystem::remove(folder_ / "plugin");
  EXPECT_TRUE(error().ends_with("there is no such program; to install it: see the wiki"));
}

TEST_F(CredentialsTest, TellsThePluginOfTheClusterInItsEnvironment) {
  plugin(printing(R"({"token":"$KUBERNETES_EXEC_INFO-$MINE"})"));
  config_.exec->info = "info";
  config_.exec->env = {{"MINE", "own"}};
  ASSERT_TRUE(get_node()) << error();
  EXPECT_EQ(last("authorization"), "Bearer info-own");
}

}  // namespace
}  // namespace controller
