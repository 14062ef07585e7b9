#include "controller/plugin/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace plugin {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Text, OfTheClusterCannotSteerTheTerminal) {
  EXPECT_EQ(clean("a\x1b[2J\x1b]0;title\x07z"), "a?[2J?]0;title?z");
  EXPECT_EQ(clean("two\nlines\tand\rmore"), "two lines and more");
  EXPECT_EQ(clean(std::string_view{"nul\0", 4}), "nul?");
  EXPECT_EQ(clean("c1 \xc2\x9b"), "c1 ?") << "CSI as one character";
  EXPECT_EQ(clean("\xe2\x80\xae"
                  "drow\xe2\x80\x8b"),
            "?drow?")
      << "turned around, and without width";
  EXPECT_EQ(clean("\x7f"), "?");
}

TEST(Text, ThatIsNoUtf8IsReplaced) {
  EXPECT_EQ(clean("\xff|\xc3|\xe2\x82|\xc0\x80|\xed\xa0\x80|\xf5\x80\x80\x80"), "?|?|??|??|?|????");
  EXPECT_EQ(clean("h\xc3\xa4user"), "h\xc3\xa4user");
}

TEST(Text, IsCutAtColumnsAndNotInsideACharacter) {
  EXPECT_EQ(cut("jetson", 6), "jetson");
  EXPECT_EQ(cut("jetsons", 6), "jet...");
  EXPECT_EQ(cut("jetson", 2), "..");
  EXPECT_EQ(cut("\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f_", 4), "\xc3\xa4...");
  EXPECT_EQ(cells("\xe6\xbc\xa2"), 2U) << "two columns wide";
  EXPECT_EQ(cut("\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2\xe6\xbc\xa2", 6), "\xe6\xbc\xa2...");
  EXPECT_EQ(pad("ab", 4), "ab  ");
  EXPECT_EQ(pad("abcde", 4), "a...");
  EXPECT_EQ(ascii("\xe2\x94\x9c x"), "? x");
}

TEST(Text, IsWrappedAtSpaces) {
  EXPECT_THAT(wrap("one two three", 7), ElementsAre("one two", "three"));
  EXPECT_THAT(wrap("one two", 80), ElementsAre("one two"));
  EXPECT_THAT(wrap("unbreakable", 4), ElementsAre("unbr", "eaka", "ble"));
  EXPECT_THAT(wrap("", 4), IsEmpty());
}

}  // namespace
}  // namespace plugin
