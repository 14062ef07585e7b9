#include "controller/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace controller {
namespace {

using testing::EndsWith;
using testing::MatchesRegex;

class LogTest : public testing::Test {
 protected:
  void TearDown() override { set_log_level(LogLevel::Info); }

  static std::string written_by(const std::function<void()>& body) {
    testing::internal::CaptureStderr();
    body();
    return testing::internal::GetCapturedStderr();
  }
};

TEST_F(LogTest, WritesOneLineWithTimeLevelMessageAndFields) {
  const auto line = written_by(
      [] { log(LogLevel::Info, "node cordoned", {{"removal", "gone"}, {"node", "jetson"}}); });
  EXPECT_THAT(
      line, MatchesRegex("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{3}Z INFO  "
                         "node cordoned removal=\"gone\" node=\"jetson\"\n"));
}

TEST_F(LogTest, NamesEveryLevel) {
  set_log_level(LogLevel::Debug);
  for (const auto& [level, name] :
       {std::pair{LogLevel::Debug, "Z DEBUG m\n"}, std::pair{LogLevel::Info, "Z INFO  m\n"},
        std::pair{LogLevel::Warning, "Z WARN  m\n"}, std::pair{LogLevel::Error, "Z ERROR m\n"}}) {
    EXPECT_THAT(written_by([&] { log(level, "m"); }), EndsWith(name));
  }
}

TEST_F(LogTest, WritesNothingBelowItsLevel) {
  set_log_level(LogLevel::Warning);
  EXPECT_EQ(written_by([] { log(LogLevel::Info, "m"); }), "");
  EXPECT_NE(written_by([] { log(LogLevel::Warning, "m"); }), "");
}

TEST_F(LogTest, LetsNobodyForgeALine) {
  const struct {
    std::string value;
    std::string written;
  } kCases[] = {
      {"a\nERROR forged", R"(a\x0aERROR forged)"},
      {"a\r\tb", R"(a\x0d\x09b)"},
      {"\x1b[31mred", R"(\x1b[31mred)"},
      {std::string{"a\0b", 3}, R"(a\x00b)"},
      {"\x7f", R"(\x7f)"},
      {R"(say "no")", R"(say \"no\")"},
      {R"(back\slash)", R"(back\\slash)"},
      {"J\xC3\xB6rg", "J\xC3\xB6rg"},
      {"", ""},
  };
  for (const auto& [value, written] : kCases) {
    const auto line = written_by([&] { log(LogLevel::Info, "m", {{"key", value}}); });
    EXPECT_THAT(line, EndsWith(" m key=\"" + written + "\"\n"));
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
  }
}

TEST_F(LogTest, EscapesTheMessageToo) {
  EXPECT_THAT(written_by([] { log(LogLevel::Info, "a\nb"); }), EndsWith(R"(INFO  a\x0ab)"
                                                                        "\n"));
}

}  // namespace
}  // namespace controller
