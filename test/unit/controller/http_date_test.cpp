#include "controller/http_date.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

TEST(HttpDateTest, ReadsTheFormThatServersSend) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            crd::TimePoint{std::chrono::seconds{784111777}});
}

TEST(HttpDateTest, RefusesAnythingElse) {
  for (const std::string text :
       {"", "now", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 08:49:37 +0100", "Sun, 06 Nov 1994 08:49:37 GMT and more",
        "Sun, 36 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace controller
