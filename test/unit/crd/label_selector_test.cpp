#include "crd/label_selector.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

namespace crd {
namespace {

std::optional<LabelSelector> selector_of(std::string_view text) {
  return label_selector_from_json(boost::json::parse(text).as_object());
}

TEST(LabelSelector, IsWrittenAsTheTextOfAQuery) {
  const struct {
    std::string_view selector;
    std::string query;
  } kCases[] = {
      {R"({})", ""},
      {R"({"matchLabels": {}})", ""},
      {R"({"matchExpressions": []})", ""},
      {R"({"matchLabels": {"a": "1"}})", "a=1"},
      {R"({"matchLabels": {"a": ""}})", "a="},
      {R"({"matchLabels": {"b": "2", "a": "1"}})", "a=1,b=2"},
      {R"({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "2"]}]})",
       "a in (1,2)"},
      {R"({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]})",
       "a notin (1)"},
      {R"({"matchExpressions": [{"key": "a", "operator": "Exists"}]})", "a"},
      {R"({"matchExpressions": [{"key": "a", "operator": "Exists", "values": []}]})", "a"},
      {R"({"matchExpressions": [{"key": "a", "operator": "DoesNotExist"}]})", "!a"},
      {R"({"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]})",
       "a=1,b"},
  };
  for (const auto& [text, query] : kCases) {
    const auto selector = selector_of(text);
    ASSERT_TRUE(selector) << text;
    EXPECT_EQ(selector->query(), query) << text;
  }
}

TEST(LabelSelector, MatchesAsTheApiServerDoes) {
  const struct {
    std::string_view selector;
    bool none;         ///< {}
    bool one;          ///< {a: "1"}
    bool other;        ///< {a: "2"}
    bool and_another;  ///< {a: "1", b: "x"}
  } kCases[] = {
      {R"({})", true, true, true, true},
      {R"({"matchLabels": {"a": "1"}})", false, true, false, true},
      {R"({"matchLabels": {"a": "1", "b": "x"}})", false, false, false, true},
      {R"({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", "3"]}]})", false,
       true, false, true},
      {R"({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["1"]}]})", true, false,
       true, false},
      {R"({"matchExpressions": [{"key": "b", "operator": "Exists"}]})", false, false, false, true},
      {R"({"matchExpressions": [{"key": "b", "operator": "DoesNotExist"}]})", true, true, true,
       false},
      {R"({"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "Exists"}]})",
       false, false, false, true},
  };
  for (const auto& [text, none, one, other, and_another] : kCases) {
    const auto selector = selector_of(text);
    ASSERT_TRUE(selector) << text;
    EXPECT_EQ(selector->matches({}), none) << text;
    EXPECT_EQ(selector->matches({{"a", "1"}}), one) << text;
    EXPECT_EQ(selector->matches({{"a", "2"}}), other) << text;
    EXPECT_EQ(selector->matches({{"a", "1"}, {"b", "x"}}), and_another) << text;
  }
}

TEST(LabelSelector, IsAbsentRatherThanTooWide) {
  for (
      const std::string_view text :
      {R"({"matchLabels": {"a": 1}})", R"({"matchLabels": {"a": "1", "b": null}})",
       R"({"matchLabels": {"a": "1"}, "matchExpressions": [{"key": "b", "operator": "Gt", "values": ["1"]}]})",
       R"({"matchExpressions": [{"key": "a", "operator": "In"}]})",
       R"({"matchExpressions": [{"key": "a", "operator": "In", "values": []}]})",
       R"({"matchExpressions": [{"key": "a", "operator": "In", "values": ["1", 2]}]})",
       R"({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": null}]})",
       R"({"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["1"]}]})",
       R"({"matchExpressions": [{"operator": "Exists"}]})",
       R"({"matchExpressions": [{"key": "a"}]})", R"({"matchExpressions": [null]})",
       R"({"matchExpressions": ["a"]})"}) {
    EXPECT_EQ(selector_of(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace crd
