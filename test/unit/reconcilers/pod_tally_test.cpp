#include "reconcilers/pod_tally.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr PodTally::TimePoint kStart{24h};

crd::PodRef pod(const std::string& name) { return {.ns = "shop", .name = name, .uid = name}; }

Evict evict(const std::string& name, bool past_budgets = false) {
  return {.pod = pod(name), .grace_period_seconds = std::nullopt, .past_budgets = past_budgets};
}

std::vector<std::string> told(PodTally& tally, PodTally::TimePoint now = kStart, bool all = false) {
  std::vector<std::string> texts;
  for (const auto& event : tally.take(now, all)) {
    EXPECT_TRUE(event.pod.has_value());
    texts.push_back((event.warning ? "Warning " : "Normal ") + event.reason + " (" + event.action +
                    "): " + event.note);
  }
  return texts;
}

TEST(PodTally, SaysHowPodsWereToldToLeave) {
  PodTally tally;
  tally.add({evict("a"), evict("b"), evict("c"), evict("d"), evict("e", true),
             DeletePod{.pod = pod("f")}, ClearPod{.pod = pod("g")}, AddFinalizer{}, DeleteNode{}});
  EXPECT_THAT(
      told(tally),
      ElementsAre(
          "Normal Draining (Evict): 4 pods told to leave: shop/a, shop/b, shop/c and 1 more",
          "Warning Draining (Delete): 1 pod deleted past the budgets: shop/e",
          "Normal ClearingTerminatingPods (Delete): 1 pod of the dead node deleted, to "
          "start elsewhere: shop/f",
          "Warning PodForceDeleted (ForceDelete): 1 pod of the dead node removed without "
          "asking its kubelet: shop/g"));
  EXPECT_THAT(told(tally, kStart + 1h, true), IsEmpty());
}

TEST(PodTally, SumsUpWhatFollowsTheFirstRoundForFiveMinutesOrToTheEnd) {
  PodTally tally;
  tally.add({evict("a")});
  EXPECT_THAT(told(tally), ElementsAre("Normal Draining (Evict): 1 pod told to leave: shop/a"));
  tally.add({evict("b")});
  EXPECT_THAT(told(tally, kStart + 299s), IsEmpty());
  tally.add({evict("c")});
  EXPECT_THAT(told(tally, kStart + 300s),
              ElementsAre("Normal Draining (Evict): 2 pods told to leave: shop/b, shop/c"));
  tally.add({evict("d")});
  EXPECT_THAT(told(tally, kStart + 301s, true),
              ElementsAre("Normal Draining (Evict): 1 pod told to leave: shop/d"));
}

}  // namespace
}  // namespace reconcilers
