#include "controller/http_transport.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "test/fake/client_fixture.hpp"

// What can go wrong between a request and its answer, seen through the client.

namespace controller {
namespace {

using fake::answer;
using fake::Reply;
using fake::Request;
using std::chrono::milliseconds;
using std::chrono::seconds;

class TransportTest : public fake::ClientFixture {
 protected:
  std::string get_url() const { return "GET " + url("/api/v1/nodes/n1"); }
  std::string pod_url() const { return "DELETE " + url("/api/v1/namespaces/default/pods/web-1"); }

  Result<void> delete_pod() { return run(client().delete_pod(pod(), {})); }

  /// The first request is answered, the following get `reply`.
  void after_the_first(const Reply& reply) {
    server_.on_request([this, reply](const Request&) {
      return server_.requests().size() == 1 ? answer(200, node_json("n1")) : reply;
    });
  }
};

TEST_F(TransportTest, KeepsConnectionsForTheNextRequest) {
  server_.on_request([](const Request&) { return answer(200, node_json("n1")); });
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(get_node());
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(TransportTest, HonoursConnectionClose) {
  server_.on_request([](const Request&) {
    return answer(200, node_json("n1"), "application/json", "Connection: close\r\n");
  });
  ASSERT_TRUE(get_node());
  ASSERT_TRUE(get_node());
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(TransportTest, ResumesTheTlsSession) {
  server_.on_request([](const Request&) {
    return answer(200, node_json("n1"), "application/json", "Connection: close\r\n");
  });
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(get_node());
  EXPECT_EQ(server_.connections(), 5);
  EXPECT_EQ(server_.resumed(), 4);
}

TEST_F(TransportTest, DropsConnectionsThatWereIdleForTooLong) {
  options_.pool_idle = milliseconds(0);
  server_.on_request([](const Request&) { return answer(200, node_json("n1")); });
  ASSERT_TRUE(get_node());
  ASSERT_TRUE(get_node());
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(TransportTest, DropsAKeptConnectionThatThePeerHasClosed) {
  server_.on_request([](const Request&) {
    auto reply = answer(200, R"({"kind":"Status"})");
    reply.then = Reply::Then::Close;
    return reply;
  });
  ASSERT_TRUE(delete_pod());
  run_until([this] { return server_.open() == 0; });
  // Not Unknown: the client saw the end before it sent anything.
  ASSERT_TRUE(delete_pod());
  EXPECT_EQ(server_.requests().size(), 2u);
}

TEST_F(TransportTest, SendsAReadAgainWhenAKeptConnectionDiesUnderIt) {
  for (const auto then : {Reply::Then::Close, Reply::Then::Cut}) {
    server_.on_request([this, then](const Request&) {
      const bool second = server_.requests().size() % 3 == 2;
      return second ? Reply{{}, then} : answer(200, node_json("n1"));
    });
    ASSERT_TRUE(get_node());
    const auto object = get_node();
    ASSERT_TRUE(object) << object.error().message;
  }
  EXPECT_EQ(server_.requests().size(), 6u);
}

TEST_F(TransportTest, SendsAReadAgainOnlyOnce) {
  after_the_first(Reply{{}, Reply::Then::Cut});
  ASSERT_TRUE(get_node());
  EXPECT_EQ(get_node().error().kind, ErrorKind::Unknown);
  EXPECT_EQ(server_.requests().size(), 3u);
}

TEST_F(TransportTest, NeverSendsAWriteAgain) {
  after_the_first(Reply{{}, Reply::Then::Cut});
  ASSERT_TRUE(get_node());
  const auto error = delete_pod().error();
  EXPECT_EQ(error.kind, ErrorKind::Unknown);
  EXPECT_EQ(error.http_status, 0);
  EXPECT_EQ(error.message,
            pod_url() +
                ": the server closed the connection before the end of its answer (the request "
                "may have been executed)");
  EXPECT_EQ(server_.requests().size(), 2u);
}

TEST_F(TransportTest, SendsNoWriteWhenTheProcessMayNotWrite) {
  bool may_write = false;
  options_.may_write = [&] { return may_write; };
  server_.on_request([](const Request&) { return answer(200, node_json("n1")); });
  ASSERT_TRUE(get_node()) << "reads are always allowed";
  const auto error = delete_pod().error();
  EXPECT_EQ(error.kind, ErrorKind::NotSent);
  EXPECT_EQ(error.message,
            pod_url() + ": not sent, because this process may not change anything now");
  EXPECT_EQ(server_.requests().size(), 1u);
  may_write = true;
  EXPECT_TRUE(delete_pod());
}

TEST_F(TransportTest, SendsNoWriteWhenTheProcessMayNotWriteAnyMoreOnceItIsConnected) {
  int asked = 0;
  options_.may_write = [&] { return ++asked == 1; };
  EXPECT_EQ(delete_pod().error().kind, ErrorKind::NotSent);
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(server_.connections(), 1);
  EXPECT_EQ(server_.requests().size(), 0u);
}

TEST_F(TransportTest, DoesNotRepeatAReadOfWhichAnAnswerHasBegun) {
  after_the_first(Reply{{"HTTP/1.1 200"}, Reply::Then::Cut});
  ASSERT_TRUE(get_node());
  EXPECT_EQ(get_node().error().kind, ErrorKind::Unknown);
  EXPECT_EQ(server_.requests().size(), 2u);
}

TEST_F(TransportTest, TakesNoPartOfABodyForTheWhole) {
  const auto whole = answer(200, node_json("n1")).pieces[0];
  const std::vector<std::string> cut = {
      whole.substr(0, whole.size() - 1),
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\n{}\r\n",
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}",  // ends with the connection,
                                                                      // which is cut
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n",
  };
  for (const auto& bytes : cut) {
    server_.on_request([&](const Request&) { return Reply{{bytes}, Reply::Then::Cut}; });
    const auto object = get_node();
    ASSERT_FALSE(object) << bytes;
    EXPECT_EQ(object.error().kind, ErrorKind::Unknown);
  }
}

TEST_F(TransportTest, DoesNotReuseAConnectionWithBytesLeftOver) {
  server_.on_request([](const Request&) {
    auto reply = answer(200, node_json("n1"));
    reply.pieces[0] += "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    return reply;
  });
  ASSERT_TRUE(get_node());
  ASSERT_TRUE(get_node());
  EXPECT_EQ(server_.connections(), 2);
}

TEST_F(TransportTest, ReadsAnswersInAnyPieces) {
  auto chunked =
      std::string("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n") +
      "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" +
      "10;ext=1\r\n" + node_json("n1").substr(0, 16) + "\r\n";
  const auto rest = node_json("n1").substr(16);
  const char* digits = "0123456789abcdef";
  chunked += std::string(1, digits[rest.size() / 16]) + digits[rest.size() % 16] + "\r\n" + rest +
             "\r\n0\r\nTrailer: x\r\n\r\n";
  server_.on_request([&](const Request&) {
    Reply reply;
    for (const char c : chunked) reply.pieces.emplace_back(1, c);
    return reply;
  });
  const auto object = get_node();
  ASSERT_TRUE(object) << object.error().message;
  ASSERT_TRUE(get_node());
  EXPECT_EQ(server_.connections(), 1);
}

TEST_F(TransportTest, BoundsTheAnswer) {
  options_.max_body = 1000;
  const std::string big(2000, ' ');
  for (const bool chunked : {false, true}) {
    server_.on_request([&](const Request&) {
      return chunked ? Reply{{"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                              "Transfer-Encoding: chunked\r\n\r\n7d0\r\n",
                              big, "\r\n0\r\n\r\n"}}
                     : answer(200, big);
    });
    const auto error = get_node().error();
    EXPECT_EQ(error.kind, ErrorKind::Unknown);
    EXPECT_EQ(error.message, get_url() + ": the answer is longer than 1000 bytes");
  }
  server_.on_request([&](const Request&) {
    return answer(200, "{}", "application/json", "X: " + std::string(20'000, 'x') + "\r\n");
  });
  EXPECT_EQ(get_node().error().message,
            get_url() + ": the header of the answer is longer than 16384 bytes");
}

TEST_F(TransportTest, RefusesWhatIsNotHttp) {
  server_.on_request(
      [](const Request&) { return Reply{{"SSH-2.0-OpenSSH_9.2\r\n\r\n"}, Reply::Then::Cut}; });
  const auto error = get_node().error();
  EXPECT_EQ(error.kind, ErrorKind::Unknown);
  EXPECT_TRUE(error.message.starts_with(get_url() + ": the answer is not HTTP/1.1"))
      << error.message;
}

TEST_F(TransportTest, HasATotalDeadline) {
  options_.read_timeout = milliseconds(100);
  options_.write_timeout = milliseconds(100);
  server_.on_request(
      [](const Request&) { return Reply{{"HTTP/1.1 200 OK\r\n"}, Reply::Then::Hang}; });
  auto error = get_node().error();
  EXPECT_EQ(error.kind, ErrorKind::Unknown);
  EXPECT_EQ(error.message, get_url() + ": no complete answer within 100 ms");
  error = delete_pod().error();
  EXPECT_EQ(error.kind, ErrorKind::Unknown);
  EXPECT_EQ(error.message,
            pod_url() + ": no complete answer within 100 ms (the request may have been executed)");
  EXPECT_EQ(server_.connections(), 2);  // a connection that was late is not used again
  run_until([this] { return server_.open() == 0; });
}

TEST_F(TransportTest, SaysThatNobodyListens) {
  server_.stop();
  const auto error = get_node().error();
  EXPECT_EQ(error.kind, ErrorKind::NotSent);
  EXPECT_EQ(error.message, get_url() + ": connection refused (is the API server running?)");
}

TEST_F(TransportTest, ResolvesNames) {
  config_.host = "localhost";
  config_.tls_server_name = "127.0.0.1";
  server_.on_request([](const Request&) { return answer(200, node_json("n1")); });
  const auto object = get_node();
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(server_.requests()[0].headers.at("host"), "localhost:" + config_.port);
}

TEST_F(TransportTest, SaysThatANameCannotBeResolved) {
  config_.host = "name.invalid";
  const auto error = get_node().error();
  EXPECT_EQ(error.kind, ErrorKind::NotSent);
  EXPECT_TRUE(error.message.contains("\"name.invalid\" could not be resolved")) << error.message;
}

TEST_F(TransportTest, LimitsTheConnectionsInUseAndServesWaitersInOrder) {
  options_.max_connections = 2;
  server_.on_request([](const Request&) { return answer(200, node_json("n1")); });
  std::vector<int> order;
  for (int i = 0; i < 10; ++i) {
    boost::asio::co_spawn(io_, client().get(node("n1")),
                          [&order, i](const std::exception_ptr&, const auto& object) {
                            EXPECT_TRUE(object) << object.error().message;
                            order.push_back(i);
                          });
  }
  run_until([&] { return order.size() == 10; });
  EXPECT_EQ(server_.connections(), 2);
  for (int i = 2; i < 10; ++i) EXPECT_NEAR(order[static_cast<std::size_t>(i)], i, 1);
}

TEST_F(TransportTest, CountsTheWaitForAConnection) {
  options_.max_connections = 1;
  options_.read_timeout = milliseconds(200);
  options_.write_timeout = milliseconds(100);
  server_.on_request([](const Request&) { return Reply{{}, Reply::Then::Hang}; });
  std::optional<KubeError> first;
  boost::asio::co_spawn(
      io_, client().get(node("n1")),
      [&](const std::exception_ptr&, const auto& object) { first = object.error(); });
  const auto second = delete_pod().error();
  EXPECT_EQ(second.kind, ErrorKind::NotSent);
  EXPECT_EQ(second.message, pod_url() + ": none of 1 connections became free within 100 ms");
  run_until([&] { return first.has_value(); });
  server_.on_request([](const Request&) { return answer(200, node_json("n1")); });
  EXPECT_TRUE(get_node());  // the slot of the one that gave up was not lost
}

TEST_F(TransportTest, ClosesTheConnectionOfACancelledCall) {
  boost::asio::cancellation_signal cancel;
  server_.on_request([&](const Request&) {
    boost::asio::post(io_, [&] { cancel.emit(boost::asio::cancellation_type::terminal); });
    return Reply{{"HTTP/1.1 200 OK\r\n"}, Reply::Then::Hang};
  });
  try {
    static_cast<void>(run_cancellable(client().get(node("n1")), cancel.slot()));
    FAIL() << "a cancelled call returned";
  } catch (const boost::system::system_error& error) {
    EXPECT_EQ(error.code(), boost::asio::error::operation_aborted);
  }
  run_until([this] { return server_.open() == 0; });
  server_.on_request([](const Request&) { return answer(200, node_json("n1")); });
  EXPECT_TRUE(get_node());
}

TEST_F(TransportTest, SurvivesACancellationAtEveryStep) {
  server_.on_request([](const Request&) { return Reply{{}, Reply::Then::Hang}; });
  for (int rounds = 0; rounds < 200; ++rounds) {
    ASSERT_TRUE(cancelled_after(rounds, client().get(node("n1")))) << rounds;
  }
  server_.on_request([](const Request&) { return answer(200, node_json("n1")); });
  EXPECT_TRUE(get_node());
  EXPECT_EQ(server_.open(), 1);
}

TEST_F(TransportTest, UsesNoProxyOfTheEnvironment) {
  for (const auto* name : {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy", "all_proxy"}) {
    ::setenv(name, "http://127.0.0.1:1", 1);
  }
  server_.on_request([](const Request&) { return answer(200, node_json("n1")); });
  const auto object = get_node();
  for (const auto* name : {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "https_proxy", "all_proxy"}) {
    ::unsetenv(name);
  }
  EXPECT_TRUE(object) << object.error().message;
}

TEST_F(TransportTest, SaysThatAPortDoesNotSpeakTls) {
  server_.speak_plain("HTTP/1.1 400 Bad Request\r\n\r\n");
  const auto error = get_node().error();
  EXPECT_EQ(error.kind, ErrorKind::NotSent);
  EXPECT_FALSE(error.tls_verification);
  EXPECT_EQ(error.message,
            get_url() + ": TLS handshake failed: wrong version number (SSL routines)");
}

TEST_F(TransportTest, LimitsTheHandshake) {
  options_.connect_timeout = milliseconds(100);
  server_.stay_silent();
  const auto error = get_node().error();
  EXPECT_EQ(error.kind, ErrorKind::NotSent);
  EXPECT_EQ(error.message, get_url() + ": no end of the TLS handshake within 100 ms");
}

}  // namespace
}  // namespace controller
