#include "controller/host_cleanup/mount_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace host_cleanup {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::string kTable =
    "22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n"
    "30 22 0:30 / /var/lib/kubelet rw - tmpfs tmpfs rw\n"
    "31 30 0:31 / /var/lib/kubelet/pods/a/volumes/one rw - tmpfs tmpfs rw\n"
    "32 31 0:32 / /var/lib/kubelet/pods/a/volumes/one/in rw - tmpfs tmpfs rw\n"
    "33 30 0:33 / /var/lib/kubelet/pods/a/volumes/my\\040volume\\134x rw - nfs server:/x rw\n"
    "34 22 0:34 / /var/lib/kubelet-plugins rw - tmpfs tmpfs rw\n"
    "35 31 0:35 / /var/lib/kubelet/pods/a/volumes/one rw - tmpfs tmpfs rw\n";

TEST(MountTable, ReadsMountPointsWithTheirEscapes) {
  const auto points = mount_points_of(kTable);
  ASSERT_TRUE(points) << points.error();
  ASSERT_EQ(points->size(), 7U);
  EXPECT_EQ((*points)[4], "/var/lib/kubelet/pods/a/volumes/my volume\\x");
}

TEST(MountTable, GivesWhatIsBelowAFolderInTheOrderInWhichItCanBeUnmounted) {
  EXPECT_THAT(
      mounts_below(*mount_points_of(kTable), "/var/lib/kubelet"),
      ElementsAre("/var/lib/kubelet/pods/a/volumes/one/in", "/var/lib/kubelet/pods/a/volumes/one",
                  "/var/lib/kubelet/pods/a/volumes/my volume\\x",
                  "/var/lib/kubelet/pods/a/volumes/one"));
  EXPECT_THAT(mounts_below(*mount_points_of(kTable), "/var/lib/cni"), IsEmpty());
}

TEST(MountTable, CountsTheFolderItselfOnlyWhenAsked) {
  EXPECT_EQ(mounts_at_or_below(*mount_points_of(kTable), "/var/lib/kubelet").back(),
            "/var/lib/kubelet");
}

TEST(MountTable, IsAnErrorWhenALineCannotBeRead) {
  for (const auto* line : {"22 1 254:0 /\n", "nonsense\n", "22 1 254:0 / relative rw - x x x\n"}) {
    EXPECT_FALSE(mount_points_of(kTable + line)) << line;
  }
}

TEST(MountTable, OfThisMachineHasItsRoot) {
  const auto points = mount_points();
  ASSERT_TRUE(points);
  EXPECT_THAT(*points, testing::Contains("/"));
}

}  // namespace
}  // namespace host_cleanup
