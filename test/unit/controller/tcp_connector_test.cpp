#include "controller/tcp_connector.hpp"

#include <gtest/gtest.h>

#include <array>
#include <boost/asio/read.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/write.hpp>
#include <optional>

#include "test/fake/loop_fixture.hpp"

namespace controller {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

class TcpConnectorTest : public fake::LoopFixture {
 protected:
  TcpConnectorTest() {
    // The kernel takes little for a server that does not read.
    acceptor_.open(tcp::v4());
    acceptor_.set_option(asio::socket_base::receive_buffer_size{4096});
    acceptor_.bind({asio::ip::address_v4::loopback(), 0});
    acceptor_.listen();
  }

  tcp::socket connect() {
    TcpConnector connector{"127.0.0.1", std::to_string(acceptor_.local_endpoint().port()),
                           std::chrono::seconds{5}};
    return *run(socket_of(connector));
  }

  static asio::awaitable<std::optional<tcp::socket>> socket_of(TcpConnector& connector) {
    co_return std::optional{(co_await connector.connect()).value()};
  }

  tcp::acceptor acceptor_{io_};
};

/// Writes until the kernel takes no more; returns how many bytes it took.
std::size_t fill(tcp::socket& socket) {
  socket.non_blocking(true);
  const std::array<char, 65536> bytes{};
  std::size_t total = 0;
  for (error_code error; !error;) total += socket.write_some(asio::buffer(bytes), error);
  return total;
}

TEST_F(TcpConnectorTest, DropsWhatIsNotDeliveredWhenTheConnectionIsClosed) {
  auto client = connect();
  auto server = acceptor_.accept();
  const auto sent = fill(client);
  client.close();

  std::vector<char> received(sent);
  error_code error;
  const auto size = asio::read(server, asio::buffer(received), error);
  EXPECT_EQ(error, asio::error::connection_reset);
  EXPECT_LT(size, sent);
}

}  // namespace
}  // namespace controller
