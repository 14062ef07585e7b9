#include "reconcilers/events.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

using crd::ConditionStatus;
using testing::ElementsAre;
using testing::IsEmpty;

crd::NodeRemoval removal_with(ConditionStatus succeeded, std::string_view reason) {
  auto removal = make_active_removal();
  set_condition(removal, condition::kSucceeded, succeeded, reason, kNow);
  return removal;
}

std::vector<std::string> events_from(const crd::NodeRemoval& before, ConditionStatus succeeded,
                                     std::string_view reason) {
  std::vector<std::string> texts;
  for (const auto& event : events_between(before, removal_with(succeeded, reason).status)) {
    texts.push_back((event.warning ? "Warning " : "Normal ") + event.reason);
  }
  return texts;
}

TEST(Events, AreForThoseWhoHaveToDoSomethingAndForTheEnd) {
  const struct {
    ConditionStatus before;
    std::string reason_before;
    ConditionStatus after;
    std::string reason_after;
    std::vector<std::string> expected;
  } kCases[] = {
      {ConditionStatus::Unknown, "Accepted", ConditionStatus::Unknown, "Draining", {}},
      {ConditionStatus::Unknown,
       "Draining",
       ConditionStatus::Unknown,
       "DrainBlocked",
       {"Warning DrainBlocked"}},
      {ConditionStatus::Unknown, "DrainBlocked", ConditionStatus::Unknown, "DrainBlocked", {}},
      {ConditionStatus::Unknown, "DrainBlocked", ConditionStatus::Unknown, "Draining", {}},
      {ConditionStatus::Unknown,
       "DeletingNode",
       ConditionStatus::True,
       "NodeRemoved",
       {"Normal NodeRemoved"}},
      {ConditionStatus::Unknown,
       "Draining",
       ConditionStatus::False,
       "DrainTimedOut",
       {"Warning DrainTimedOut"}},
      {ConditionStatus::True, "NodeRemoved", ConditionStatus::True, "NodeRemoved", {}},
  };
  for (const auto& [before, reason_before, after, reason_after, expected] : kCases) {
    EXPECT_EQ(events_from(removal_with(before, reason_before), after, reason_after), expected)
        << reason_before << " -> " << reason_after;
  }
}

TEST(Events, BeginWithTheFirstStatus) {
  EXPECT_THAT(events_from(make_removal(), ConditionStatus::Unknown, "NodeProtected"),
              ElementsAre("Warning NodeProtected"));
  EXPECT_THAT(events_between(make_removal(), crd::NodeRemovalStatus{}), IsEmpty());
}

TEST(Events, SayThatATimeToLiveIsIgnored) {
  auto removal = removal_with(ConditionStatus::Unknown, "DeletingNode");
  removal.spec.ttl_seconds_after_finished = 60;
  EXPECT_THAT(events_from(removal, ConditionStatus::True, "NodeRemoved"),
              ElementsAre("Normal NodeRemoved"));
  removal.meta.labels["app.kubernetes.io/managed-by"] = "Helm";
  EXPECT_THAT(events_from(removal, ConditionStatus::True, "NodeRemoved"),
              ElementsAre("Normal NodeRemoved", "Warning TTLIgnored"));
}

}  // namespace
}  // namespace reconcilers
