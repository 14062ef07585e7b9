#include "controller/host_cleanup/remove_tree.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "test/fake/temporary_folder.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(RemoveTree, DeletesAllThatIsBelowAndFollowsNoLink) {
  const fake::TemporaryFolder folder;
  fs::create_directories(folder / "tree/a/b");
  fs::create_directories(folder / "other");
  folder.write("tree/a/b/file", "x");
  folder.write("other/file", "x");
  fs::create_symlink(folder / "other", folder / "tree/a/link");
  fs::create_symlink("/nowhere", folder / "tree/broken");
  ASSERT_EQ(::mkfifo((folder / "tree/fifo").c_str(), 0600), 0);
  const auto removed = remove_tree(folder / "tree");
  ASSERT_TRUE(removed) << removed.error();
  EXPECT_TRUE(*removed);
  EXPECT_FALSE(fs::exists(folder / "tree"));
  EXPECT_TRUE(fs::exists(folder / "other/file"));
  EXPECT_EQ(remove_tree(folder / "tree"), false);
  EXPECT_EQ(remove_tree(folder / "none/below/none"), false);
}

TEST(RemoveTree, DeletesALinkAndNotWhereItLeads) {
  const fake::TemporaryFolder folder;
  folder.write("file", "x");
  fs::create_symlink(folder / "file", folder / "link");
  EXPECT_EQ(remove_tree(folder / "link"), true);
  EXPECT_TRUE(fs::exists(folder / "file"));
}

TEST(RemoveTree, RefusesAPathThatLeadsThroughALink) {
  const fake::TemporaryFolder folder;
  fs::create_directories(folder / "real/inner");
  fs::create_symlink(folder / "real", folder / "link");
  EXPECT_FALSE(remove_tree(folder / "link/inner"));
  EXPECT_TRUE(fs::exists(folder / "real/inner"));
  EXPECT_EQ(with_parents_resolved(folder / "link/inner"),
            fs::canonical(folder.path()) / "real/inner");
}

TEST(RemoveTree, RefusesWhatIsMounted) {
  EXPECT_THAT(remove_tree("/proc").error(), HasSubstr("something is mounted at /proc"));
  EXPECT_EQ(why_not_removable("/no/such/path"), "");
}

TEST(RemoveTree, EndsInTimeAndAtSomeDepth) {
  const fake::TemporaryFolder folder;
  fs::create_directories(folder / "tree/a");
  EXPECT_THAT(remove_tree(folder / "tree", std::chrono::milliseconds{-1}).error(),
              HasSubstr("took too long"));
  fs::path deep = folder / "deep";
  for (int i = 0; i < 450; ++i) deep /= "d";
  fs::create_directories(deep);
  EXPECT_THAT(remove_tree(folder / "deep").error(), HasSubstr("too many folders"));
}

}  // namespace
}  // namespace host_cleanup
