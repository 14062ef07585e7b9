#include "crd/condition.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace crd {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::Field;

constexpr TimePoint kThen{1'700'000'000s};
constexpr TimePoint kNow = kThen + 1h;

boost::json::array array(std::string_view text) { return boost::json::parse(text).as_array(); }

TEST(Conditions, HaveNothingAtFirst) {
  const Conditions conditions;
  EXPECT_EQ(conditions.find("Drained"), nullptr);
  EXPECT_FALSE(conditions.is_true("Drained"));
  EXPECT_FALSE(conditions.is("Drained", ConditionStatus::Unknown));
}

TEST(Conditions, TakeTheTimeOfTheirFirstSetting) {
  Conditions conditions;
  conditions.set("Drained", ConditionStatus::Unknown, "Draining", "2 pods", kThen, 3);
  EXPECT_THAT(conditions.all(), ElementsAre(Condition{.type = "Drained",
                                                      .status = ConditionStatus::Unknown,
                                                      .reason = "Draining",
                                                      .message = "2 pods",
                                                      .last_transition_time = kThen,
                                                      .observed_generation = 3}));
}

TEST(Conditions, KeepTheirTransitionTimeWhenOnlyReasonMessageOrGenerationChange) {
  Conditions conditions;
  conditions.set("Drained", ConditionStatus::Unknown, "Draining", "2 pods", kThen, 1);
  conditions.set("Drained", ConditionStatus::Unknown, "DrainBlocked", "1 pod", kNow, 2);
  EXPECT_THAT(conditions.all(), ElementsAre(Condition{.type = "Drained",
                                                      .status = ConditionStatus::Unknown,
                                                      .reason = "DrainBlocked",
                                                      .message = "1 pod",
                                                      .last_transition_time = kThen,
                                                      .observed_generation = 2}));
}

TEST(Conditions, MoveTheirTransitionTimeWithTheStatus) {
  Conditions conditions;
  conditions.set("Drained", ConditionStatus::Unknown, "Draining", "", kThen, 1);
  conditions.set("Drained", ConditionStatus::True, "Drained", "", kNow, 1);
  EXPECT_EQ(conditions.find("Drained")->last_transition_time, kNow);
  EXPECT_TRUE(conditions.is_true("Drained"));
}

TEST(Conditions, StayInTheOrderInWhichTheyWereFirstSet) {
  Conditions conditions;
  for (const auto type : {"Zero", "Alpha", "Mid", "Zero"}) {
    conditions.set(type, ConditionStatus::True, "R", "", kNow, 1);
  }
  EXPECT_THAT(conditions.all(),
              ElementsAre(Field(&Condition::type, "Zero"), Field(&Condition::type, "Alpha"),
                          Field(&Condition::type, "Mid")));
}

TEST(Conditions, ForgetWhatIsRemoved) {
  Conditions conditions;
  conditions.set("A", ConditionStatus::True, "R", "", kThen, 1);
  conditions.set("B", ConditionStatus::True, "R", "", kThen, 1);
  conditions.remove("A");
  conditions.remove("C");
  EXPECT_THAT(conditions.all(), ElementsAre(Field(&Condition::type, "B")));
}

TEST(Conditions, HoldAllForAGeneration) {
  Conditions conditions;
  conditions.set("A", ConditionStatus::True, "R", "m", kThen, 1);
  conditions.set("B", ConditionStatus::False, "R", "m", kThen, 2);
  conditions.set_generation(7);
  EXPECT_THAT(conditions.all(), testing::Each(Field(&Condition::observed_generation, 7)));
  EXPECT_THAT(conditions.all(), testing::Each(Field(&Condition::last_transition_time, kThen)));
}

TEST(Conditions, AreWrittenAsTheApiConventionsSay) {
  Conditions conditions;
  conditions.set("Drained", ConditionStatus::False, "DrainTimedOut", "too long", kThen, 4);
  EXPECT_EQ(conditions.to_json(), array(R"([{"type":"Drained", "status":"False",
      "reason":"DrainTimedOut", "message":"too long",
      "lastTransitionTime":"2023-11-14T22:13:20Z", "observedGeneration":4}])"));
}

TEST(Conditions, SurviveARoundTripThroughJson) {
  Conditions conditions;
  conditions.set("A", ConditionStatus::True, "R", "m", kThen, 1);
  conditions.set("B", ConditionStatus::False, "S", "n", kNow, 2);
  conditions.set("C", ConditionStatus::Unknown, "T", "", kNow, 3);
  EXPECT_EQ(Conditions::from_json(conditions.to_json()), conditions);
}

TEST(Conditions, TakeTheFirstOfTwoOfOneType) {
  const auto conditions = Conditions::from_json(
      array(R"([{"type":"A","status":"True"}, {"type":"A","status":"False"}])"));
  EXPECT_EQ(conditions.all().size(), 1U);
  EXPECT_TRUE(conditions.is_true("A"));
}

TEST(Conditions, ReadAnythingElseThanTrueAndFalseAsUnknown) {
  const auto conditions = Conditions::from_json(array(
      R"([{"type":"A","status":"true"}, {"type":"B","status":true}, {"type":"C","status":null},
          {"type":"D"}, {"type":"E","status":"Unknown"}])"));
  EXPECT_EQ(conditions.all().size(), 5U);
  EXPECT_THAT(conditions.all(), testing::Each(Field(&Condition::status, ConditionStatus::Unknown)));
}

TEST(Conditions, IgnoreEntriesWithoutATypeAndThoseThatAreNoObjects) {
  EXPECT_THAT(Conditions::from_json(
                  array(R"([null, 7, "A", [], {}, {"type":7}, {"type":""}, {"type":"B"}])"))
                  .all(),
              ElementsAre(Field(&Condition::type, "B")));
}

}  // namespace
}  // namespace crd
