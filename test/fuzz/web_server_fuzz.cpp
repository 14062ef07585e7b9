// What a peer sends to the health and metrics server.
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <memory>
#include <string>

#include "controller/log.hpp"
#include "controller/task_group.hpp"
#include "controller/web_server.hpp"
#include "test/fuzz/fuzz_input.hpp"

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

asio::awaitable<controller::WebAnswer> handle(controller::WebRequest request) {
  fuzz::require(request.path.find_first_of("\r\n ?") == std::string::npos, "a path is a path");
  fuzz::require(request.authorization.find_first_of("\r\n") == std::string::npos,
                "a header is one line");
  co_return controller::WebAnswer{.body = "ok"};
}

/// One server for all inputs.
struct Rig {
  Rig() : tasks(io.get_executor()) {
    controller::set_log_level(controller::LogLevel::Error);
    controller::WebServerSettings settings;
    settings.address = {.host = "127.0.0.1", .port = 0};
    server = *controller::WebServer::open(io.get_executor(), std::move(settings), handle);
    asio::co_spawn(io, server->run(tasks), asio::detached);
  }

  std::string ask(std::string_view text) {
    tcp::socket peer(io);
    peer.connect({asio::ip::make_address("127.0.0.1"), server->address().port});
    peer.set_option(asio::socket_base::linger(true, 0));  // frees its port at once
    std::string answer;
    bool ended = false;
    boost::system::error_code error;
    asio::write(peer, asio::buffer(text.data(), text.size()), error);
    peer.shutdown(tcp::socket::shutdown_send, error);
    std::array<char, 4096> piece{};
    std::function<void()> read = [&] {
      peer.async_read_some(asio::buffer(piece), [&](const auto& failure, std::size_t size) {
        answer.append(piece.data(), size);
        if (failure) {
          ended = true;
        } else {
          read();
        }
      });
    };
    read();
    while (!ended) io.run_one();
    return answer;
  }

  asio::io_context io;
  controller::TaskGroup tasks;
  std::unique_ptr<controller::WebServer> server;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Rig* const rig = new Rig;  // never destroyed: the process ends in the middle of its work
  const auto answer = rig->ask({reinterpret_cast<const char*>(data), size});
  fuzz::require(answer.empty() || answer.starts_with("HTTP/1.1 "), "every answer is HTTP");
  return 0;
}
