#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <map>

#include "crd/node_removal.hpp"
#include "test/fake/crd_schema.hpp"

/// The program and crd/noderemovals.yaml say the same.
namespace crd {
namespace {

using fake::crd_schema;
using fake::schema_problems;
using testing::ElementsAre;
using testing::IsEmpty;

std::string text_of(bool value) { return value ? "true" : "false"; }
std::string text_of(std::int64_t value) { return std::to_string(value); }

TEST(Schema, HasTheDefaultsOfTheProgram) {
  const NodeRemovalSpec spec;
  const std::map<std::string, std::string> defaults{
      {"spec.suspend", text_of(spec.suspend)},
      {"spec.dryRun", text_of(spec.dry_run)},
      {"spec.deleteNode", text_of(spec.delete_node)},
      {"spec.allowControlPlane", text_of(spec.allow_control_plane)},
      {"spec.drain.force", text_of(spec.drain.force)},
      {"spec.drain.deleteEmptyDirData", text_of(spec.drain.delete_empty_dir_data)},
      {"spec.drain.ignoreDaemonSets", text_of(spec.drain.ignore_daemon_sets)},
      {"spec.drain.timeoutSeconds", text_of(spec.drain.timeout_seconds)},
      {"spec.drain.onTimeout", "Fail"},
      {"spec.drain.disableEviction", text_of(spec.drain.disable_eviction)},
      {"spec.migration.wait", text_of(spec.migration.wait)},
      {"spec.migration.timeoutSeconds", text_of(spec.migration.timeout_seconds)},
      {"spec.migration.onTimeout", "Continue"},
      {"spec.volumes.waitForDetach", text_of(spec.volumes.wait_for_detach)},
      {"spec.volumes.timeoutSeconds", text_of(spec.volumes.timeout_seconds)},
      {"spec.volumes.onTimeout", "Continue"},
      {"spec.unreachable.toleranceSeconds", text_of(spec.unreachable.tolerance_seconds)},
      {"spec.unreachable.fenced", text_of(spec.unreachable.fenced)},
      {"spec.hostCleanup.enabled", text_of(spec.host_cleanup.enabled)},
      {"spec.hostCleanup.timeoutSeconds", text_of(spec.host_cleanup.timeout_seconds)},
      {"spec.hostCleanup.onFailure", "Fail"},
      {"spec.hostCleanup.dryRun", text_of(spec.host_cleanup.plan.dry_run)},
      {"spec.hostCleanup.flushAll", text_of(spec.host_cleanup.plan.flush_all)},
      {"status.observedGeneration", text_of(NodeRemovalStatus{}.observed_generation)},
  };
  for (const auto& [path, value] : defaults) {
    EXPECT_EQ(crd_schema(path).default_value.value_or("none"), value) << path;
  }
}

TEST(Schema, AdmitsAsManyEntriesAsTheProgramWrites) {
  EXPECT_LE(kMaxBlockers, *crd_schema("status.blockers").max_items);
  EXPECT_LE(kMaxWorkloads, *crd_schema("status.workloads").max_items);
}

TEST(Schema, AdmitsAsLongTextsAsTheProgramWrites) {
  EXPECT_LE(kMaxText, *crd_schema("status.blockers").items->properties.at("message").max_length);
  EXPECT_LE(kMaxText, *crd_schema("status.evidence.message").max_length);
}

TEST(Schema, AdmitsATextOfANodeHoweverLong) {
  NodeRemovalStatus status;
  status.evidence = Evidence{.ready = ConditionStatus::False,
                             .not_ready_since = {},
                             .observed_since = {},
                             .reason = std::string(5000, 'R'),
                             .message = std::string(5000, 'm'),
                             .fenced = false,
                             .fenced_by = {}};
  EXPECT_THAT(schema_problems("status", to_json(status)), IsEmpty());
}

TEST(Schema, AdmitsAnEmptyAndAFullStatus) {
  NodeRemovalStatus status;
  EXPECT_THAT(schema_problems("status", to_json(status)), IsEmpty());
  status.node_uid = "8f4d7a3e-52c5-4f4c-9a3a-5a2f5e0a8d7c";
  status.start_time = TimePoint{};
  status.completion_time = TimePoint{};
  status.conditions.set("Succeeded", ConditionStatus::True, "NodeRemoved", "done", {}, 1);
  status.pods = PodCounts{};
  status.blockers = {{"shop/db-0", "p1", "PodDisruptionBudget", "needs 3", "db", {}}};
  status.blockers_omitted = 1;
  status.workloads = {{"ReplicaSet", "shop", "web", "rs", 3, 2}};
  status.workloads_omitted = 1;
  status.evidence = Evidence{};
  EXPECT_THAT(schema_problems("status", to_json(status)), IsEmpty());
}

TEST(Schema, IsReallyChecked) {
  const auto problems = [](std::string_view path, std::string_view text) {
    return schema_problems(path, boost::json::parse(text));
  };
  EXPECT_THAT(problems("spec", R"({"nodeName": "Jetson"})"),
              ElementsAre("spec.nodeName is \"Jetson\", which does not match the pattern"));
  EXPECT_THAT(problems("spec", R"({"noodleName": "a"})"),
              ElementsAre("spec.noodleName is not in the schema, so the server drops it"));
  EXPECT_THAT(problems("spec.drain", R"({"gracePeriodSeconds": 0})"),
              ElementsAre("spec.drain.gracePeriodSeconds is 0, below the minimum"));
  EXPECT_THAT(problems("status", R"({"conditions": [{"type": "A"}]})"), testing::SizeIs(4));
  EXPECT_THAT(
      problems("status.blockers", R"([{"pod": "a/b", "reason": "R"}, {"pod": 1}])"),
      ElementsAre("status.blockers[1] lacks reason", "status.blockers[1].pod is no string: 1"));
}

}  // namespace
}  // namespace crd
