#include "controller/listen_address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace controller {
namespace {

using testing::HasSubstr;

TEST(ListenAddress, IsReadAsItIsWritten) {
  const struct {
    std::string text;
    ListenAddress address;
    bool loopback;
  } kCases[] = {
      {"127.0.0.1:8080", {"127.0.0.1", 8080}, true}, {"127.1.2.3:0", {"127.1.2.3", 0}, true},
      {"[::1]:8080", {"::1", 8080}, true},           {":8081", {"", 8081}, false},
      {"0.0.0.0:65535", {"0.0.0.0", 65535}, false},  {"[::]:1", {"::", 1}, false},
      {"192.0.2.1:1", {"192.0.2.1", 1}, false},      {"[2001:db8::1]:1", {"2001:db8::1", 1}, false},
      {"128.0.0.1:1", {"128.0.0.1", 1}, false},
  };
  for (const auto& [text, address, loopback] : kCases) {
    const auto parsed = parse_listen_address(text);
    ASSERT_TRUE(parsed) << parsed.error();
    EXPECT_EQ(*parsed, address) << text;
    EXPECT_EQ(parsed->str(), text);
    EXPECT_EQ(parsed->is_loopback(), loopback) << text;
  }
}

TEST(ListenAddress, RefusesWhatIsNone) {
  using namespace std::string_view_literals;
  for (const auto text : {""sv,
                          "8080"sv,
                          "localhost:8080"sv,
                          "127.0.0.1"sv,
                          "127.0.0.1:"sv,
                          "127.0.0.1:x"sv,
                          "127.0.0.1:-1"sv,
                          "127.0.0.1:65536"sv,
                          "127.0.0.1:80 "sv,
                          " :80"sv,
                          "127.0.0.1:+80"sv,
                          "127.0.0:80"sv,
                          "256.0.0.1:80"sv,
                          "::1:80"sv,
                          "[::1]80"sv,
                          "[::1]"sv,
                          "[127.0.0.1]:80"sv,
                          "[]:80"sv,
                          "[::1%lo]:80"sv,
                          "http://127.0.0.1:80"sv,
                          "127.0.0.1\0:80"sv,
                          "*:80"sv}) {
    const auto parsed = parse_listen_address(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error(), HasSubstr("is not an address to listen on: IP:PORT")) << text;
  }
}

}  // namespace
}  // namespace controller
