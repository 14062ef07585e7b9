#include "controller/plugin/line.hpp"

#include <gtest/gtest.h>

namespace plugin {
namespace {

const Line kLine{{"jetson", Color::Bold}, {"  "}, {"Draining", Color::Warning}, {"   "}};

TEST(Line, HasColoursOnlyWhenAsked) {
  EXPECT_EQ(render(kLine, {.color = false}), "jetson  Draining");
  EXPECT_EQ(render(kLine, {.color = true}), "\x1b[1mjetson\x1b[0m  \x1b[33mDraining\x1b[0m");
}

TEST(Line, IsCutToTheWidthAndItsColourEnds) {
  EXPECT_EQ(render(kLine, {.color = true, .width = 13}),
            "\x1b[1mjetson\x1b[0m  \x1b[33mDr...\x1b[0m");
  EXPECT_EQ(render({{"abcdef"}, {"gh"}}, {.width = 6}), "abc...") << "also between two pieces";
  EXPECT_EQ(render({{"abcdef"}, {"gh"}}, {.width = 8}), "abcdefgh");
  EXPECT_EQ(render({{"abcdef"}, {"gh"}}, {.width = 0}), "abcdefgh");
}

TEST(Line, IsAsciiWhereTheTerminalKnowsNothingElse) {
  EXPECT_EQ(render({{"h\xc3\xa4user"}}, {.utf8 = false}), "h?user");
}

}  // namespace
}  // namespace plugin
