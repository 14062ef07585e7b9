#include "controller/plugin/duration.hpp"

#include <gtest/gtest.h>

#include "test/unit/controller/plugin/removals.hpp"

namespace plugin {
namespace {

using namespace std::chrono_literals;

TEST(Duration, IsReadAsKubectlTakesIt) {
  EXPECT_EQ(*parse_duration("90"), 90s);
  EXPECT_EQ(*parse_duration("0"), 0s);
  EXPECT_EQ(*parse_duration("0s"), 0s);
  EXPECT_EQ(*parse_duration("5m"), 300s);
  EXPECT_EQ(*parse_duration("1h30m5s"), 5405s);
  for (const auto* wrong : {"", "s", "-5s", "5x", "5m5h", "5m5m", "1.5h", "5 m", "99999999999h",
                            "2147483647h", "+5s", "500ms"}) {
    const auto parsed = parse_duration(wrong);
    ASSERT_FALSE(parsed) << wrong;
    EXPECT_EQ(parsed.error(),
              "\"" + std::string{wrong} + "\" is not a duration such as 90, 90s, 5m or 1h30m");
  }
}

TEST(Duration, SinceThenIsWrittenAsKubectlDoes) {
  const auto since = [](std::chrono::seconds ago) { return age(kNow - ago, kNow); };
  EXPECT_EQ(since(-5s), "0s") << "our clock is behind";
  EXPECT_EQ(since(119s), "119s");
  EXPECT_EQ(since(250s), "4m10s");
  EXPECT_EQ(since(300s), "5m");
  EXPECT_EQ(since(31min), "31m");
  EXPECT_EQ(since(5h + 20min), "5h20m");
  EXPECT_EQ(since(30h), "30h");
  EXPECT_EQ(since(51h), "2d3h");
  EXPECT_EQ(since(24h * 90), "90d");
}

}  // namespace
}  // namespace plugin
