#include "reconcilers/removal_progress.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/reconcilers/builders.hpp"
#include "test/unit/reconcilers/world.hpp"

namespace reconcilers {
namespace {

using crd::ConditionStatus;
using testing::ElementsAre;
using testing::IsEmpty;

std::string seconds(std::chrono::milliseconds time) {
  return std::to_string(std::chrono::floor<std::chrono::seconds>(time).count()) + " s";
}

std::string words(const RemovalNews::End& end) {
  return std::string{end.outcome} + "/" + end.reason + " on " + std::string{end.path} + " after " +
         (end.duration ? seconds(*end.duration) : "nothing");
}

/// The news of one removal in words.
class Told {
 public:
  explicit Told(const crd::NodeRemoval& removal) : progress_(removal) {}

  std::vector<std::string> by(const crd::NodeRemoval& removal) {
    const auto news = progress_.go_on(removal);
    std::vector<std::string> all;
    for (const auto& step : news.steps) {
      all.push_back(std::string{step.type} + " on " + std::string{step.path} + " after " +
                    seconds(step.duration));
    }
    if (news.node_deleted) all.push_back("node deleted on " + std::string{news.path});
    if (news.declared_dead) all.emplace_back("declared dead");
    if (news.recovered) all.emplace_back("recovered");
    if (news.needs_fencing) all.emplace_back("needs fencing");
    if (news.end) all.push_back(words(*news.end));
    return all;
  }
  std::vector<std::string> at_cancel(crd::TimePoint now) const {
    const auto end = progress_.cancelled(now);
    return end ? std::vector{words(*end)} : std::vector<std::string>{};
  }

 private:
  RemovalProgress progress_;
};

/// Follows a removal through a World as a process does, with all that it tells.
class Followed : public testing::Test {
 protected:
  World world_;
  std::vector<std::string> told_;
  std::optional<Told> follower_;
  int version_ = 100;

  void look() {
    if (!world_.removal) return;
    auto& removal = *world_.removal;
    removal.meta.resource_version = std::to_string(++version_);
    if (!follower_) follower_.emplace(removal);
    for (auto& one : follower_->by(removal)) told_.push_back(std::move(one));
  }
  void round() {
    world_.round();
    look();
  }
  /// Until nothing is left to do.
  void follow() {
    look();
    for (int i = 0; i < 200 && world_.removal && !world_.status().is_terminal(); ++i) {
      round();
      world_.let_others_work();
      world_.pass(1s);
    }
  }
};

TEST_F(Followed, TellsEachStepOfADrainOnceAndItsEnd) {
  world_.add_pod(make_pod("web-1"));
  follow();
  look();
  look();
  EXPECT_THAT(told_,
              testing::IsSupersetOf({"Accepted on drain after 0 s", "node deleted on drain"}));
  const auto of = [&](std::string_view start) {
    return std::ranges::count_if(told_, [&](const auto& one) { return one.starts_with(start); });
  };
  for (const auto* step :
       {"Accepted ", "Cordoned ", "Drained ", "PodsMigrated ", "VolumesDetached ", "NodeDeleted ",
        "LeftoversGone ", "node deleted ", "Succeeded/NodeRemoved on drain after "}) {
    EXPECT_EQ(of(step), 1) << step << testing::PrintToString(told_);
  }
  EXPECT_EQ(told_.size(), 9U) << testing::PrintToString(told_);
}

TEST_F(Followed, TellsNothingAgainAfterARestart) {
  world_.add_pod(make_pod("web-1"));
  std::vector<std::string> all;
  look();
  for (int i = 0; i < 200 && !world_.status().is_terminal(); ++i) {
    round();
    all.insert(all.end(), told_.begin(), told_.end());
    told_.clear();
    follower_.emplace(*world_.removal);
    world_.restart_operator();
    world_.let_others_work();
    world_.pass(1s);
  }
  std::ranges::sort(all);
  EXPECT_EQ(std::ranges::adjacent_find(all), all.end()) << testing::PrintToString(all);
  EXPECT_EQ(all.size(), 9U) << testing::PrintToString(all);
  EXPECT_THAT(follower_->at_cancel(world_.now), IsEmpty());
}

TEST_F(Followed, TellsOfADeadNodeWhatWasDecided) {
  world_.add_pod(make_pod("db-0", "StatefulSet", "db"));
  world_.run();
  look();
  world_.kill_kubelet();
  for (int i = 0; i < 320; ++i) {
    round();
    world_.pass(1s);
  }
  EXPECT_THAT(told_, ElementsAre("declared dead", "needs fencing"));
  told_.clear();
  world_.edit([](auto& spec) { spec.suspend = true; });
  round();
  world_.edit([](auto& spec) { spec.suspend = false; });
  round();
  EXPECT_THAT(told_, IsEmpty()) << "it is the same silence";
  world_.revive_kubelet();
  round();
  EXPECT_THAT(told_, ElementsAre("recovered"));
}

crd::NodeRemoval changed(crd::NodeRemoval removal) {
  removal.meta.resource_version = std::to_string(std::stoi(removal.meta.resource_version) + 1);
  return removal;
}

TEST(RemovalProgress, MeasuresAStepFromItsBeginning) {
  auto removal = make_active_removal();
  set_condition(removal, condition::kDrained, ConditionStatus::Unknown, "Draining", kNow - 50s);
  Told told{removal};
  removal = changed(removal);
  set_condition(removal, condition::kDrained, ConditionStatus::True, "Drained", kNow - 8s);
  EXPECT_THAT(told.by(removal), ElementsAre("Drained on drain after 42 s"));
  EXPECT_THAT(told.by(removal), IsEmpty());
  EXPECT_THAT(told.by(changed(removal)), IsEmpty());
}

TEST(RemovalProgress, DoesNotCountWhatWasNotOursToDo) {
  auto removal = make_active_removal();
  Told told{removal};
  removal = changed(removal);
  set_condition(removal, condition::kPodsMigrated, ConditionStatus::True, "NotAwaited", kNow);
  set_condition(removal, condition::kNodeDeleted, ConditionStatus::True, "GoneAlready", kNow);
  EXPECT_THAT(told.by(removal), IsEmpty());
}

TEST(RemovalProgress, GivesNoTimeBackWhenTheClockWasSetBack) {
  auto removal = make_active_removal();
  set_condition(removal, condition::kDrained, ConditionStatus::Unknown, "Draining", kNow);
  Told told{removal};
  removal = changed(removal);
  set_condition(removal, condition::kDrained, ConditionStatus::True, "Drained", kNow - 1h);
  EXPECT_THAT(told.by(removal), ElementsAre("Drained on drain after 0 s"));
}

TEST(RemovalProgress, TellsThatAHumansWordIsMissingOnceUntilItIsGiven) {
  auto removal = dead_with({}).removal;
  Told told{removal};
  removal = changed(removal);
  removal.status.blockers = {{"shop/db-0", "pod-db-0", "NeedsFencing", "", "", kNow}};
  EXPECT_THAT(told.by(removal), ElementsAre("needs fencing"));
  removal = changed(removal);
  removal.status.evidence->fenced = true;  // the blockers are not written anew yet
  EXPECT_THAT(told.by(removal), IsEmpty());
  removal = changed(removal);
  removal.status.evidence->fenced = false;
  EXPECT_THAT(told.by(removal), ElementsAre("needs fencing"));
}

TEST(RemovalProgress, TellsOfACancelWhateverItHadReachedButNotAfterTheEnd) {
  auto removal = make_removal();
  Told told{removal};
  EXPECT_THAT(told.at_cancel(kNow), ElementsAre("Cancelled/Cancelled on drain after nothing"));
  removal = changed(make_active_removal());
  EXPECT_THAT(told.by(removal),
              ElementsAre("Accepted on drain after 0 s", "Cordoned on drain after 0 s"));
  EXPECT_THAT(told.at_cancel(kNow), ElementsAre("Cancelled/Cancelled on drain after 60 s"));
  removal = changed(removal);
  set_condition(removal, condition::kSucceeded, ConditionStatus::False, "DrainTimedOut", kNow);
  removal.status.completion_time = kNow - 10s;
  EXPECT_THAT(told.by(removal), ElementsAre("Failed/DrainTimedOut on drain after 50 s"));
  EXPECT_THAT(told.at_cancel(kNow), IsEmpty());
}

TEST(RemovalProgress, OfASelectorTellsOnlyTheEnd) {
  auto removal = make_removal();
  removal.status.nodes = {{"jetson", "node-1", "Starting"}};
  Told told{removal};
  removal = changed(make_active_removal());
  removal.status.nodes = {{"jetson", "node-1", "Refused"}};
  EXPECT_THAT(told.by(removal), IsEmpty());
  removal = changed(removal);
  set_condition(removal, condition::kSucceeded, ConditionStatus::False, "PartiallyFailed", kNow);
  removal.status.completion_time = kNow;
  EXPECT_THAT(told.by(removal), ElementsAre("Failed/PartiallyFailed on drain after nothing"));
}

}  // namespace
}  // namespace reconcilers
