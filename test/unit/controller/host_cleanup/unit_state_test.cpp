#include "controller/host_cleanup/unit_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace host_cleanup {
namespace {

using testing::ElementsAre;

TEST(UnitState, IsReadFromWhatSystemctlShows) {
  const auto unit = unit_state_of(
      "LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nRequiredBy=\n"
      "WantedBy=multi-user.target x.target\nTriggeredBy=kubelet.path\n");
  EXPECT_EQ(unit.load, "loaded");
  EXPECT_TRUE(exists(unit));
  EXPECT_FALSE(is_stopped(unit));
  EXPECT_FALSE(is_disabled(unit));
  EXPECT_THAT(unit.started_by, ElementsAre("multi-user.target", "x.target", "kubelet.path"));
}

TEST(UnitState, IsOffOnlyWhenItIsStoppedAndStaysSo) {
  const auto unit = [](std::string active, std::string file, std::vector<std::string> by = {}) {
    return UnitState{.load = "loaded",
                     .active = std::move(active),
                     .file = std::move(file),
                     .started_by = std::move(by)};
  };
  for (const auto* active : {"active", "activating", "deactivating", "reloading", ""}) {
    EXPECT_FALSE(is_stopped(unit(active, "disabled"))) << active;
  }
  EXPECT_TRUE(is_stopped(unit("failed", "disabled")));
  for (const auto* file : {"enabled", "enabled-runtime"}) {
    EXPECT_FALSE(is_disabled(unit("inactive", file))) << file;
  }
  for (const auto* file : {"disabled", "static", "indirect", "masked", ""}) {
    EXPECT_TRUE(is_disabled(unit("inactive", file))) << file;
  }
  EXPECT_FALSE(is_disabled(unit("inactive", "static", {"x.target"})));
  EXPECT_TRUE(is_disabled(unit("inactive", "masked", {"x.target"})));
  EXPECT_FALSE(exists({.load = "not-found", .active = {}, .file = {}, .started_by = {}}));
  EXPECT_FALSE(exists({}));
}

}  // namespace
}  // namespace host_cleanup
