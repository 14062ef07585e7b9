#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "controller/host_cleanup/cni_files.hpp"
#include "controller/host_cleanup/nft_tables.hpp"
#include "controller/host_cleanup/own_program.hpp"
#include "controller/host_cleanup/remove_tree.hpp"
#include "controller/host_cleanup/text.hpp"
#include "controller/host_cleanup/tool.hpp"
#include "test/fake/temporary_folder.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

TEST(CniConfig, BelongsToWhoeverItsPluginIsOf) {
  const auto* flannel = R"({"name":"cbr0","plugins":[{"type":"flannel"},{"type":"portmap"}]})";
  EXPECT_EQ(owner_of_config("10-flannel.conflist", flannel), ConfigOwner::Kubernetes);
  EXPECT_EQ(owner_of_config("any", R"({"type":"calico"})"), ConfigOwner::Kubernetes);
  EXPECT_EQ(owner_of_config("calico-kubeconfig", "apiVersion: v1"), ConfigOwner::Kubernetes);
  EXPECT_EQ(owner_of_config("87-podman-bridge.conflist", flannel), ConfigOwner::Other);
  EXPECT_EQ(owner_of_config("any", R"({"name":"podman","type":"bridge"})"), ConfigOwner::Other);
  EXPECT_EQ(owner_of_config("any", R"({"name":"x","nerdctlID":"1","type":"bridge"})"),
            ConfigOwner::Other);
  EXPECT_EQ(owner_of_config("100-crio-bridge.conflist", ""), ConfigOwner::Other);
  EXPECT_EQ(owner_of_config("10-mine.conf", R"({"name":"cni0","type":"bridge"})"),
            ConfigOwner::Unknown);
  EXPECT_EQ(owner_of_config("10-mine.conf", "{no json"), ConfigOwner::Unknown);
  EXPECT_EQ(network_of_config(flannel), "cbr0");
  EXPECT_EQ(network_of_config("nonsense"), "");
}

TEST(NftTables, OfKubernetesAreKnownByFamilyAndName) {
  EXPECT_TRUE(is_table_of_kubernetes({"ip", "kube-proxy"}));
  EXPECT_TRUE(is_table_of_kubernetes({"ip6", "flannel-ipv6"}));
  EXPECT_FALSE(is_table_of_kubernetes({"ip6", "flannel-ipv4"}));
  EXPECT_FALSE(is_table_of_kubernetes({"inet", "kube-proxy"}));
  EXPECT_FALSE(is_table_of_kubernetes({"ip", "filter"}));
  EXPECT_TRUE(is_table_of_iptables({"ip", "nat"}, false));
  EXPECT_FALSE(is_table_of_iptables({"ip", "nat"}, true));
  EXPECT_FALSE(is_table_of_iptables({"inet", "filter"}, false));
}

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

TEST(WriteFile, ReplacesTheOldTextAndIsPrivate) {
  const fake::TemporaryFolder folder;
  ASSERT_TRUE(write_file(folder / "f", "old"));
  ASSERT_TRUE(write_file(folder / "f", "new"));
  EXPECT_EQ(read_kernel_file(folder / "f"), "new");
  EXPECT_EQ(fs::status(folder / "f").permissions(), fs::perms::owner_read | fs::perms::owner_write);
  EXPECT_FALSE(fs::exists(folder / "f.new"));
  EXPECT_FALSE(write_file(folder / "none/f", "x"));
}

TEST(OwnProgram, RunsAsACopyWithItsOwnLibraries) {
  const fake::TemporaryFolder folder;
  const auto program = OwnProgram::open();
  ASSERT_TRUE(program) << program.error();
  for (int i = 0; i < 2; ++i) {  // a second copy takes the place of the first
    const auto copied = program->copy_to(folder / "program");
    ASSERT_TRUE(copied) << copied.error();
  }
  auto command = program->command_in(folder / "program");
  command.emplace_back("--gtest_list_tests");
  std::string script;
  for (const auto& word : command) script += " '" + word + "'";
  const auto result = run_tool({.name = "sh", .arguments = {"-c", script}});
  EXPECT_EQ(result.failure, "") << result.errors;
  EXPECT_THAT(result.output, HasSubstr("RunsAsACopyWithItsOwnLibraries"));
}

}  // namespace
}  // namespace host_cleanup
