#include "crd/json.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace crd::json {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class Json : public testing::Test {
 protected:
  const bj::object object_ = bj::parse(R"({"text": "a", "flag": true, "number": -7, "nothing": null,
      "object": {"x": 1}, "array": ["a", 1, null, "b"], "map": {"a": "1", "b": 2, "c": null},
      "fraction": 1.5, "huge": 18446744073709551615, "time": "1970-01-01T00:00:01Z"})")
                                 .as_object();
};

TEST_F(Json, FindsMembersOfTheRightType) {
  EXPECT_NE(find(object_, "text"), nullptr);
  EXPECT_NE(object_at(object_, "object"), nullptr);
  EXPECT_NE(array_at(object_, "array"), nullptr);
  EXPECT_EQ(string_at(object_, "text"), "a");
  EXPECT_TRUE(bool_at(object_, "flag"));
  EXPECT_EQ(int_at(object_, "number"), -7);
  EXPECT_EQ(time_at(object_, "time"), TimePoint{std::chrono::seconds{1}});
}

TEST_F(Json, ReadsNullMissingAndMistypedMembersAsAbsent) {
  for (const std::string_view key : {"nothing", "missing", "fraction"}) {
    EXPECT_EQ(object_at(object_, key), nullptr) << key;
    EXPECT_EQ(array_at(object_, key), nullptr) << key;
    EXPECT_EQ(string_at(object_, key), "") << key;
    EXPECT_FALSE(bool_at(object_, key)) << key;
    EXPECT_EQ(int_at(object_, key), std::nullopt) << key;
    EXPECT_EQ(time_at(object_, key), std::nullopt) << key;
    EXPECT_THAT(string_map_at(object_, key), IsEmpty()) << key;
    EXPECT_THAT(strings_at(object_, key), IsEmpty()) << key;
  }
  EXPECT_EQ(find(object_, "nothing"), nullptr);
  EXPECT_EQ(find(object_, "missing"), nullptr);
}

TEST_F(Json, DoesNotWrapNumbersThatAreTooLarge) {
  EXPECT_EQ(int_at(object_, "huge"), std::nullopt);
}

TEST_F(Json, TakesTheGivenWordForAbsentFlags) {
  EXPECT_TRUE(bool_at(object_, "missing", true));
  EXPECT_TRUE(bool_at(object_, "nothing", true));
  EXPECT_TRUE(bool_at(object_, "flag", false));
}

TEST_F(Json, SkipsElementsThatAreNoStrings) {
  EXPECT_THAT(strings_at(object_, "array"), ElementsAre("a", "b"));
  EXPECT_THAT(string_map_at(object_, "map"), ElementsAre(Pair("a", "1")));
}

TEST_F(Json, MakesArraysOfStrings) {
  EXPECT_EQ(to_array({"a", "b"}), (bj::array{"a", "b"}));
  EXPECT_EQ(to_array({}), bj::array{});
}

}  // namespace
}  // namespace crd::json
