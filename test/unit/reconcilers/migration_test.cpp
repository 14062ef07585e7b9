#include "reconcilers/migration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

crd::NodeRemovalStatus waiting_for_web_and_db() {
  crd::NodeRemovalStatus status;
  status.workloads = {{"StatefulSet", "shop", "db", "owner-db", 0, 0},
                      {"ReplicaSet", "shop", "web", "owner-web", 0, 0}};
  return status;
}

TEST(IsAwaitedKind, IsTrueForThoseWhoseReplicasCanBeCounted) {
  for (const auto kind : {"ReplicaSet", "StatefulSet", "ReplicationController"}) {
    EXPECT_TRUE(is_awaited_kind(kind)) << kind;
  }
  for (const auto kind : {"Job", "DaemonSet", "CloneSet", "Node", ""}) {
    EXPECT_FALSE(is_awaited_kind(kind)) << kind;
  }
}

TEST(RecordWorkloads, RecordsEveryControllerOnceAndSorted) {
  crd::NodeRemovalStatus status;
  record_workloads({make_pod("web-1"), make_pod("web-2"), make_naked_pod("debug"),
                    make_pod("db-0", "StatefulSet", "db"), make_pod("job-1", "Job", "job")},
                   status);
  EXPECT_EQ(status.workloads, waiting_for_web_and_db().workloads);
  record_workloads({make_pod("web-3")}, status);
  EXPECT_EQ(status.workloads, waiting_for_web_and_db().workloads);
}

TEST(RecordWorkloads, TellsWorkloadsOfOneNameApart) {
  crd::NodeRemovalStatus status;
  auto pod = make_pod("web-1");
  auto successor = pod;
  successor.meta.owner_references.front().uid = "owner-web-2";
  record_workloads({pod, successor}, status);
  EXPECT_EQ(status.workloads.size(), 2U);
}

TEST(RecordWorkloads, KeepsWhatWasLearntBefore) {
  auto status = waiting_for_web_and_db();
  status.workloads.back().ready = 2;
  record_workloads({make_pod("web-1"), make_pod("api-1", "ReplicaSet", "api")}, status);
  EXPECT_THAT(status.workloads, testing::SizeIs(3));
  EXPECT_EQ(status.workloads.back().ready, 2);
}

TEST(UpdateWorkloads, NamesThoseThatAreNotReadyYet) {
  auto status = waiting_for_web_and_db();
  const std::map<std::string, WorkloadProgress> progress{
      {"owner-web", {.exists = true, .desired = 3, .ready = 2}},
      {"owner-db", {.exists = true, .desired = 1, .ready = 1}}};
  EXPECT_THAT(update_workloads(progress, false, status), ElementsAre("ReplicaSet shop/web 2/3"));
  EXPECT_THAT(status.workloads,
              ElementsAre(crd::WorkloadStatus{"StatefulSet", "shop", "db", "owner-db", 1, 1},
                          crd::WorkloadStatus{"ReplicaSet", "shop", "web", "owner-web", 3, 2}));
}

TEST(UpdateWorkloads, TakesAWorkloadThatIsGoneForReady) {
  auto status = waiting_for_web_and_db();
  const std::map<std::string, WorkloadProgress> progress{
      {"owner-web", {.exists = false, .desired = 3, .ready = 0}},
      {"owner-db", {.exists = true, .desired = 0, .ready = 0}}};
  EXPECT_THAT(update_workloads(progress, false, status), IsEmpty());
}

TEST(UpdateWorkloads, TakesAWorkloadWithoutNewsForNotReady) {
  auto status = waiting_for_web_and_db();
  EXPECT_THAT(update_workloads({}, false, status),
              ElementsAre("StatefulSet shop/db 0/0", "ReplicaSet shop/web 0/0"));
}

TEST(UpdateWorkloads, SkipsStatefulSetsWhenTheyCannotStartYet) {
  auto status = waiting_for_web_and_db();
  EXPECT_THAT(update_workloads({}, true, status), ElementsAre("ReplicaSet shop/web 0/0"));
}

}  // namespace
}  // namespace reconcilers
