#include "controller/host_cleanup/text.hpp"

#include <gtest/gtest.h>

#include "test/fake/temporary_folder.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;

TEST(HostCleanupText, ListsWhatFits) {
  EXPECT_EQ(listed({"a", "b"}), "a, b");
  EXPECT_EQ(listed({}), "");
  EXPECT_EQ(listed({"aaaa", "bbbb", "cccc"}, 10), "aaaa, bbbb and 1 more");
  EXPECT_EQ(listed({std::string(50, 'a'), "b"}, 10), "aaaaaaa... and 1 more");
  EXPECT_EQ(counted(1, "rule"), "1 rule");
  EXPECT_EQ(counted(0, "rule"), "0 rules");
  EXPECT_EQ(one_line("\n a\tb\nc \n"), "a b c");
  EXPECT_EQ(cut("abcdef", 5), "ab...");
}

TEST(WriteFile, ReplacesTheOldTextAndIsPrivate) {
  const fake::TemporaryFolder folder;
  ASSERT_TRUE(write_file(folder / "f", "old"));
  ASSERT_TRUE(write_file(folder / "f", "new"));
  EXPECT_EQ(read_kernel_file(folder / "f"), "new");
  EXPECT_EQ(fs::status(folder / "f").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_FALSE(fs::exists(folder / "f.new"));
  EXPECT_FALSE(write_file(folder / "none/f", "x"));
}

}  // namespace
}  // namespace host_cleanup
