#include "controller/http_wire.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace controller {
namespace {

HttpRequest request() {
  HttpRequest out;
  out.method = "PATCH";
  out.target = "/a?b=c";
  out.headers.push_back({"Accept", "application/json"});
  out.body = "{}";
  return out;
}

TEST(ToWire, IsByteExact) {
  EXPECT_EQ(to_wire("server", "6443", request()),
            "PATCH /a?b=c HTTP/1.1\r\nHost: server:6443\r\nAccept: application/json\r\n"
            "Content-Length: 2\r\n\r\n{}");
  HttpRequest get;
  get.method = "GET";
  get.target = "/";
  EXPECT_EQ(to_wire("fd00::1", "443", get), "GET / HTTP/1.1\r\nHost: [fd00::1]:443\r\n\r\n");
}

TEST(ToWire, RefusesAnythingThatWouldStartASecondRequest) {
  auto bad = request();
  bad.headers.push_back({"Authorization", "Bearer x\r\nHost: y"});
  EXPECT_THROW(to_wire("server", "443", bad), std::invalid_argument);
  bad = request();
  bad.target = "/\n";
  EXPECT_THROW(to_wire("server", "443", bad), std::invalid_argument);
}

}  // namespace
}  // namespace controller
