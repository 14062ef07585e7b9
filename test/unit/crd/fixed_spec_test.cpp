#include "crd/fixed_spec.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <set>
#include <string>

namespace crd {
namespace {

NodeRemovalSpec spec_of(const std::string& fields) {
  const auto object = boost::json::parse(R"({"spec": {"nodeName": "jetson")" + fields + "}}");
  return node_removal_from_json(object.as_object()).spec;
}

TEST(FixedSpec, DiffersWhenAnythingDiffersThatIsFixed) {
  const std::string kChanges[] = {
      "",
      R"(, "nodeUID": "u")",
      R"(, "nodeSelector": {"matchLabels": {"a": "b"}})",
      R"(, "nodeSelector": {"matchLabels": {"a": "c"}})",
      R"(, "maxConcurrent": 2)",
      R"(, "maxConcurrent": "2%")",
      R"(, "dryRun": true)",
      R"(, "deleteNode": false)",
      R"(, "allowControlPlane": true)",
      R"(, "hostCleanup": {"enabled": true})",
      R"(, "hostCleanup": {"steps": ["CNI"]})",
      R"(, "hostCleanup": {"cniInterfaces": ["cni1"]})",
      R"(, "hostCleanup": {"extraPaths": ["/opt/a"]})",
      R"(, "hostCleanup": {"image": "x"})",
      R"(, "hostCleanup": {"timeoutSeconds": 1})",
      R"(, "hostCleanup": {"onFailure": "Continue"})",
      R"(, "hostCleanup": {"dryRun": true})",
      R"(, "hostCleanup": {"flushAll": true})",
      R"(, "drain": {"force": true})",
      R"(, "drain": {"deleteEmptyDirData": true})",
      R"(, "drain": {"ignoreDaemonSets": false})",
      R"(, "drain": {"gracePeriodSeconds": 0})",
      R"(, "drain": {"timeoutSeconds": 1})",
      R"(, "drain": {"onTimeout": "Delete"})",
      R"(, "drain": {"podSelector": {"matchLabels": {"a": "b"}}})",
      R"(, "drain": {"waitForCompletion": {"matchLabels": {"a": "b"}}})",
      R"(, "drain": {"disableEviction": true})",
      R"(, "migration": {"wait": false})",
      R"(, "migration": {"timeoutSeconds": 1})",
      R"(, "migration": {"onTimeout": "Fail"})",
      R"(, "volumes": {"waitForDetach": false})",
      R"(, "volumes": {"timeoutSeconds": 1})",
      R"(, "volumes": {"onTimeout": "Fail"})",
      R"(, "unreachable": {"toleranceSeconds": 1})",
  };
  std::set<std::string> seen;
  for (const auto& change : kChanges) {
    EXPECT_TRUE(seen.insert(fixed_spec_hash(spec_of(change))).second) << change;
  }
}

TEST(FixedSpec, IsTheSameForWhatMayChangeAndForDefaultsThatAreWrittenOut) {
  const auto expected = fixed_spec_hash(spec_of(""));
  for (const auto* change :
       {R"(, "suspend": true)", R"(, "unreachable": {"fenced": true})",
        R"(, "ttlSecondsAfterFinished": 5)", R"(, "maxConcurrent": 1)",
        R"(, "deleteNode": true, "drain": {"timeoutSeconds": 3600, "onTimeout": "Fail"})"}) {
    EXPECT_EQ(fixed_spec_hash(spec_of(change)), expected) << change;
  }
  EXPECT_EQ(expected, "2e7afc7a736d4fdd") << "a removal in flight must survive an upgrade";
}

TEST(FixedSpec, IsTheSameForEveryOrderOfASelector) {
  const auto with = [](const std::string& expressions) {
    return fixed_spec_hash(
        spec_of(R"(, "nodeSelector": {"matchExpressions": [)" + expressions + "]}"));
  };
  EXPECT_EQ(with(R"({"key": "a", "operator": "In", "values": ["x", "y"]},
                    {"key": "b", "operator": "Exists"})"),
            with(R"({"key": "b", "operator": "Exists"},
                    {"key": "a", "operator": "In", "values": ["y", "x"]})"));
}

TEST(FixedSpec, KeepsARemovalWithTheNodeItWasFirstSeenWith) {
  const auto removal = node_removal_from_json(boost::json::parse(R"({
    "spec": {"nodeName": "other"},
    "status": {"nodeName": "jetson", "specHash": "0"}})")
                                                  .as_object());
  EXPECT_TRUE(removal.spec_changed);
  EXPECT_EQ(removal.spec.node_name, "jetson");
}

}  // namespace
}  // namespace crd
