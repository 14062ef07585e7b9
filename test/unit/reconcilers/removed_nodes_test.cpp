#include "reconcilers/removed_nodes.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace reconcilers::removed_nodes {
namespace {

TEST(RemovedNodes, AreReadAsTheyAreWritten) {
  const auto data = data_patch({}, "jetson", {.uid = "u1", .removal = "gone", .time = "t"});
  const auto recorded = from_config_map({{"data", data}});
  ASSERT_TRUE(recorded.contains("jetson"));
  EXPECT_EQ(recorded.at("jetson").uid, "u1");
  EXPECT_EQ(recorded.at("jetson").removal, "gone");
  EXPECT_EQ(recorded.at("jetson").time, "t");
}

TEST(RemovedNodes, AreLeftOutWhenTheyCannotBeRead) {
  const auto config_map = boost::json::parse(
      R"({"data": {"a": "gibberish", "b": "[]", "c": "{\"uid\":\"u\"}", "d": 5, "e": "{\"uid\":7}"}})");
  const auto recorded = from_config_map(config_map.as_object());
  EXPECT_EQ(recorded.size(), 1U);
  EXPECT_EQ(recorded.at("c").uid, "u");
  EXPECT_TRUE(from_config_map({}).empty());
}

TEST(RemovedNodes, AreForgottenFromTheOldestOnWhenThereAreTooMany) {
  std::map<std::string, RemovedNode> recorded;
  for (int i = 0; i < 2000; ++i) {
    recorded["node-" + std::to_string(i)].time = "2026-01-01T00:" + std::to_string(1000 + i);
  }
  recorded["node-7"].time = "2025";
  const auto patch = data_patch(recorded, "jetson", {.uid = "u1", .removal = "gone", .time = "t"});
  EXPECT_EQ(patch.size(), 2U);
  EXPECT_TRUE(patch.at("node-7").is_null());
  EXPECT_TRUE(patch.at("jetson").is_string());
}

}  // namespace
}  // namespace reconcilers::removed_nodes
