#include "controller/plugin/selector.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>

#include "crd/label_selector.hpp"

namespace plugin {
namespace {

std::string json_of(const std::string& text) {
  const auto parsed = parse_selector(text);
  return parsed ? boost::json::serialize(*parsed) : parsed.error();
}

TEST(Selector, MeansWhatItMeansToKubectl) {
  EXPECT_EQ(json_of("app=web"), R"({"matchLabels":{"app":"web"}})");
  EXPECT_EQ(json_of(" app == web , tier="), R"({"matchLabels":{"app":"web","tier":""}})");
  EXPECT_EQ(json_of("tier!=db"),
            R"({"matchExpressions":[{"key":"tier","operator":"NotIn","values":["db"]}]})");
  EXPECT_EQ(json_of("zone in (a, b),x notin (c)"),
            R"({"matchExpressions":[{"key":"zone","operator":"In","values":["a","b"]},)"
            R"({"key":"x","operator":"NotIn","values":["c"]}]})");
  EXPECT_EQ(json_of("example.com/gpu,!spot"),
            R"({"matchExpressions":[{"key":"example.com/gpu","operator":"Exists"},)"
            R"({"key":"spot","operator":"DoesNotExist"}]})");
  EXPECT_EQ(json_of("a=1,a=2"),
            R"({"matchLabels":{"a":"1"},)"
            R"("matchExpressions":[{"key":"a","operator":"In","values":["2"]}]})")
      << "nothing has both";
}

TEST(Selector, IsUnderstoodByTheOperator) {
  const auto selector = crd::label_selector_from_json(*parse_selector("a=1,b!=2,c in (3,4),d,!e"));
  ASSERT_TRUE(selector);
  EXPECT_TRUE(selector->matches({{"a", "1"}, {"c", "4"}, {"d", ""}}));
  EXPECT_FALSE(selector->matches({{"a", "1"}, {"b", "2"}, {"c", "4"}, {"d", ""}}));
}

TEST(Selector, ThatIsNoneIsRefused) {
  for (const auto* wrong : {"", ",", "a=1,", "=x", "a in b", "a in (b", "a in ()x", "a b", "a=b=c",
                            "a!", "a='x'", "a>1", "!", "a in (b c)"}) {
    EXPECT_EQ(json_of(wrong), "\"" + std::string{wrong} +
                                  "\" is not a label selector such as "
                                  "\"app=web,tier!=db,zone in (a,b),gpu,!spot\"");
  }
}

}  // namespace
}  // namespace plugin
