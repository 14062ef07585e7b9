#include "controller/log_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <vector>

namespace controller {
namespace {

using namespace std::chrono_literals;

constexpr LogTime kTime{1767323045067ms};  // 2026-01-02T03:04:05.067Z

std::string json_of(std::string_view message, const std::vector<LogField>& fields) {
  return json_line(kTime, LogLevel::Info, message, fields);
}

TEST(LogLine, IsAReadableLine) {
  const std::vector<LogField> fields{{"removal", "gone"}, {"node", "jetson"}};
  EXPECT_EQ(text_line(kTime, LogLevel::Warning, "node cordoned", fields),
            "2026-01-02T03:04:05.067Z WARN  node cordoned removal=\"gone\" node=\"jetson\"\n");
  EXPECT_EQ(text_line(kTime, LogLevel::Info, "m", {}), "2026-01-02T03:04:05.067Z INFO  m\n");
}

TEST(LogLine, IsAnObjectInJson) {
  EXPECT_EQ(json_of("node cordoned", {{"removal", "gone"}, {"node", "jetson"}}),
            R"({"time":"2026-01-02T03:04:05.067Z","level":"info","message":"node cordoned",)"
            R"("fields":{"removal":"gone","node":"jetson"}})"
            "\n");
  EXPECT_EQ(json_of("m", {}), R"({"time":"2026-01-02T03:04:05.067Z","level":"info","message":"m"})"
                              "\n");
}

TEST(LogLine, NamesEveryLevelInJson) {
  for (const auto& [level, name] :
       {std::pair{LogLevel::Debug, "debug"}, std::pair{LogLevel::Info, "info"},
        std::pair{LogLevel::Warning, "warning"}, std::pair{LogLevel::Error, "error"}}) {
    const auto parsed = boost::json::parse(json_line(kTime, level, "m", {}));
    EXPECT_EQ(parsed.at("level").as_string(), name);
  }
}

TEST(LogLine, EscapesWhatWouldSteerATerminal) {
  const std::vector<LogField> fields{{"key", "\xc2\x9b[31mred J\xc3\xb6rg"}};
  EXPECT_THAT(text_line(kTime, LogLevel::Info, "m", fields),
              testing::EndsWith("key=\"\\u009b[31mred J\xc3\xb6rg\"\n"));
  EXPECT_THAT(json_of("m", fields), testing::HasSubstr("\\u009b[31mred J\xc3\xb6rg"));
}

TEST(LogLine, IsValidJsonWhateverTheValueIs) {
  const struct {
    std::string value;
    std::string written;
  } kCases[] = {
      {"a\nERROR forged", R"(a\u000aERROR forged)"},
      {std::string{"a\0b", 3}, R"(a\u0000b)"},
      {"\x7f", R"(\u007f)"},
      {R"(say "no")", R"(say \"no\")"},
      {R"(back\slash)", R"(back\\slash)"},
      {R"(","level":"error)", R"(\",\"level\":\"error)"},
      {"J\xc3\xb6rg \xe2\x82\xac \xf0\x9f\x90\xb3", "J\xc3\xb6rg \xe2\x82\xac \xf0\x9f\x90\xb3"},
      {"\xff", R"(\ufffd)"},
      {"a\xc3", R"(a\ufffd)"},
      {"\xc3(", R"(\ufffd()"},
      {"\xc0\xaf", R"(\ufffd\ufffd)"},                      // overlong
      {"\xe0\x80\x80", R"(\ufffd\ufffd\ufffd)"},            // overlong
      {"\xed\xa0\x80", R"(\ufffd\ufffd\ufffd)"},            // a surrogate
      {"\xf4\x90\x80\x80", R"(\ufffd\ufffd\ufffd\ufffd)"},  // above U+10FFFF
      {"", ""},
  };
  for (const auto& [value, written] : kCases) {
    const auto line = json_of(value, {{"key", value}});
    EXPECT_THAT(line, testing::HasSubstr(R"("message":")" + written + "\""));
    EXPECT_THAT(line, testing::HasSubstr(R"({"key":")" + written + "\"}"));
    EXPECT_EQ(std::count(line.begin(), line.end(), '\n'), 1) << line;
    const auto parsed = boost::json::parse(line);
    EXPECT_EQ(parsed.as_object().size(), 4U) << line;
  }
}

}  // namespace
}  // namespace controller
