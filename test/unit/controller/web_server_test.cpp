#include "controller/web_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <stdexcept>
#include <vector>

#include "test/fake/loop_fixture.hpp"
#include "test/fake/web_client.hpp"

namespace controller {
namespace {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using fake::ask_plain;
using fake::body_of;
using fake::get;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

class WebServerTest : public fake::LoopFixture {
 protected:
  void start(WebServerSettings settings = {}) {
    settings.address = {"127.0.0.1", 0};
    auto server =
        WebServer::open(io_.get_executor(), std::move(settings),
                        [this](WebRequest request) { return answer(std::move(request)); });
    ASSERT_TRUE(server) << server.error();
    server_ = std::move(*server);
    tasks_.spawn(server_->run(tasks_));
  }

  static WebServerSettings with(std::chrono::milliseconds read, std::chrono::milliseconds total,
                                std::size_t connections = 32) {
    WebServerSettings settings;
    settings.read_timeout = read;
    settings.total_timeout = total;
    settings.max_connections = connections;
    return settings;
  }

  asio::awaitable<WebAnswer> answer(WebRequest request) {
    asked_.push_back(request.path);
    authorizations_.push_back(request.authorization);
    if (request.path == "/throws") throw std::runtime_error("a bug");
    if (request.path == "/held") {
      co_await held_.async_wait(asio::as_tuple(asio::use_awaitable));  // until it is cancelled
    }
    WebAnswer out;
    out.body = "this is " + request.path;
    co_return out;
  }

  /// Connections on which these bytes were sent, which are nobody's whole request or a wrong one.
  std::vector<tcp::socket> connect(int count, const std::string& bytes) {
    std::vector<tcp::socket> sockets;
    for (int i = 0; i < count; ++i) {
      sockets.emplace_back(io_).connect({asio::ip::address_v4::loopback(), port()});
      asio::write(sockets.back(), asio::buffer(bytes));
    }
    return sockets;
  }

  std::string ask(const std::string& bytes) { return run(ask_plain(port(), bytes)); }
  std::uint16_t port() const { return server_->address().port; }

  void TearDown() override {
    tasks_.cancel();
    LoopFixture::TearDown();
  }

  asio::steady_timer held_{io_, asio::steady_timer::time_point::max()};
  std::vector<std::string> asked_;
  std::vector<std::string> authorizations_;
  std::unique_ptr<WebServer> server_;
  TaskGroup tasks_{io_.get_executor()};
};

TEST_F(WebServerTest, AnswersOneRequestAndCloses) {
  start();
  const auto answer = ask(get("/a?b=c", "Authorization: Bearer t\r\n") + get("/second"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nConnection: close\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 10\r\n"));
  EXPECT_EQ(body_of(answer), "this is /a");
  EXPECT_THAT(asked_, ElementsAre("/a"));
  EXPECT_THAT(authorizations_, ElementsAre("Bearer t"));
}

TEST_F(WebServerTest, SendsNoBodyToAHeadRequest) {
  start();
  const auto answer = ask("HEAD /a HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Length: 10\r\n"));
  EXPECT_EQ(body_of(answer), "");
}

TEST_F(WebServerTest, RefusesWhatItDoesNotServe) {
  start();
  const struct {
    std::string bytes;
    std::string status;
  } kCases[] = {
      {"POST /a HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n", "405 Method Not Allowed"},
      {"DELETE /a HTTP/1.1\r\nHost: test\r\n\r\n", "405 Method Not Allowed"},
      {"BREW /a HTTP/1.1\r\nHost: test\r\n\r\n", "405 Method Not Allowed"},
      {get("/a", "Content-Length: 1\r\n") + "x", "413 Payload Too Large"},
      {get("/a", "Content-Length: 99999999999\r\n"), "413 Payload Too Large"},
      {get("/a", "Transfer-Encoding: chunked\r\n") + "0\r\n\r\n", "413 Payload Too Large"},
      {get("/a", "X: " + std::string(17 * 1024, 'x') + "\r\n"),
       "431 Request Header Fields Too Large"},
      {get("/" + std::string(17 * 1024, 'x')), "431 Request Header Fields Too Large"},
      {get("/a", "X: " + std::string(200 * 1024, 'x') + "\r\n"),
       "431 Request Header Fields Too Large"},
      {"hello\r\n\r\n", "400 Bad Request"},
      {"GET /a\r\n\r\n", "400 Bad Request"},
      {"GET /a HTTP/9.9\r\n\r\n", "400 Bad Request"},
      {std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 15), "400 Bad Request"},
  };
  for (const auto& [bytes, status] : kCases) {
    EXPECT_THAT(ask(bytes), StartsWith("HTTP/1.1 " + status + "\r\n")) << bytes.substr(0, 60);
  }
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(WebServerTest, SaysWhichMethodsThereAre) {
  start();
  EXPECT_THAT(ask("PUT /a HTTP/1.1\r\nHost: test\r\n\r\n"), HasSubstr("\r\nAllow: GET, HEAD\r\n"));
}

TEST_F(WebServerTest, TakesAHeaderOfNearlySixteenKibibytes) {
  start();
  EXPECT_THAT(ask(get("/a", "X: " + std::string(15 * 1024, 'x') + "\r\n")),
              StartsWith("HTTP/1.1 200 OK\r\n"));
}

TEST_F(WebServerTest, DropsAClientThatIsTooSlowWithItsRequest) {
  start(with(20ms, 1h));
  EXPECT_EQ(ask("GET /a HTT"), "");
  EXPECT_EQ(ask(""), "");
  EXPECT_THAT(asked_, IsEmpty());
}

TEST_F(WebServerTest, DropsAClientWhoseAnswerTakesTooLong) {
  start(with(1h, 20ms));
  EXPECT_EQ(ask(get("/held")), "");
  EXPECT_THAT(asked_, ElementsAre("/held"));
}

TEST_F(WebServerTest, AnswersABugOfItsHandlerWithAnErrorAndGoesOn) {
  start();
  const auto answer = ask(get("/throws"));
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_THAT(answer, Not(HasSubstr("a bug")));
  EXPECT_EQ(body_of(ask(get("/a"))), "this is /a");
}

TEST_F(WebServerTest, ServesNoMoreConnectionsAtATimeThanItMay) {
  start(with(1h, 1h, 1));
  std::vector<std::string> bodies;
  const auto note = [&](const std::exception_ptr&, const std::string& answer) {
    bodies.push_back(body_of(answer));
  };
  asio::co_spawn(io_, ask_plain(port(), get("/held")), note);
  run_until([this] { return asked_.size() == 1; });
  asio::co_spawn(io_, ask_plain(port(), get("/second")), note);
  io_.poll();
  EXPECT_THAT(asked_, ElementsAre("/held")) << "the second has to wait";
  held_.cancel();
  run_until([&] { return bodies.size() == 2; });
  EXPECT_THAT(bodies, ElementsAre("this is /held", "this is /second"));
}

TEST_F(WebServerTest, ServesThoseThatWaitedWhenAConnectionEnds) {
  start(with(20ms, 1h, 1));
  tcp::socket silent{io_};
  silent.connect({asio::ip::address_v4::loopback(), port()});
  EXPECT_EQ(body_of(ask(get("/second"))), "this is /second");
}

TEST_F(WebServerTest, ClosesTheSlowestToAskWhenThereAreTooMany) {
  start(with(1h, 1h, 3));
  auto slow = connect(10, "GET /slow");
  EXPECT_EQ(body_of(ask(get("/livez"))), "this is /livez");
  asio::write(slow.back(), asio::buffer(std::string{" HTTP/1.1\r\nHost: a\r\n\r\n"}));
  run_until([&] { return asked_.size() == 2; });
  EXPECT_THAT(asked_, ElementsAre("/livez", "/slow")) << "the last ones were left alone";
}

TEST_F(WebServerTest, ClosesThoseThatHaveTheirAnswerFirstWhenThereAreTooMany) {
  start(with(1h, 1h, 3));
  auto refused = connect(3, "POST / HTTP/1.1\r\n\r\n");
  for (auto& each : refused) {
    bool answered = false;
    each.async_wait(tcp::socket::wait_read, [&](const error_code&) { answered = true; });
    run_until([&] { return answered; });
  }
  EXPECT_EQ(body_of(ask(get("/livez"))), "this is /livez") << "they stay for their farewell";
}

TEST_F(WebServerTest, ServesATargetInAbsoluteForm) {
  start();
  EXPECT_EQ(body_of(ask(get("http://127.0.0.1:8081/a?b"))), "this is /a");
  EXPECT_EQ(body_of(ask(get("http://127.0.0.1:8081"))), "this is /");
}

TEST_F(WebServerTest, SaysThatAPortIsInUse) {
  start();
  WebServerSettings settings;
  settings.address = server_->address();
  const auto second = WebServer::open(io_.get_executor(), std::move(settings), {});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error(),
            "cannot listen on " + server_->address().str() + ": Address already in use");
}

TEST_F(WebServerTest, ListensOnAllAddressesWhenNoneIsNamed) {
  WebServerSettings settings;
  auto server = WebServer::open(io_.get_executor(), std::move(settings),
                                [this](WebRequest request) { return answer(std::move(request)); });
  ASSERT_TRUE(server) << server.error();
  server_ = std::move(*server);
  tasks_.spawn(server_->run(tasks_));
  EXPECT_EQ(body_of(ask(get("/a"))), "this is /a");
}

}  // namespace
}  // namespace controller
