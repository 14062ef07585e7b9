#include "controller/list_page.hpp"

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>

namespace controller {
namespace {

boost::json::object object(std::string_view text) { return boost::json::parse(text).as_object(); }

TEST(AppendPage, CollectsThePagesOfOneSnapshot) {
  List list;
  EXPECT_EQ(
      append_page("Pod",
                  object(R"({"kind":"PodList","metadata":{"resourceVersion":"7","continue":"next"},
                                   "items":[{"a":1},{"a":2}]})"),
                  list),
      "next");
  EXPECT_EQ(
      append_page(
          "Pod",
          object(R"({"kind":"PodList","metadata":{"resourceVersion":"7"},"items":[{"a":3}]})"),
          list),
      "");
  EXPECT_EQ(list.items.size(), 3u);
  EXPECT_EQ(list.resource_version, "7");
}

TEST(AppendPage, TakesAnEmptyListForEmpty) {
  List list;
  EXPECT_EQ(
      append_page("Pod",
                  object(R"({"kind":"PodList","metadata":{"resourceVersion":"7"},"items":[]})"),
                  list),
      "");
  EXPECT_TRUE(list.items.empty());
}

TEST(AppendPage, TakesNothingElseForEmpty) {
  for (const std::string_view page : {
           R"({"kind":"PodList","metadata":{"resourceVersion":"7"}})",
           R"({"kind":"PodList","metadata":{"resourceVersion":"7"},"items":null})",
           R"({"kind":"PodList","metadata":{"resourceVersion":"7"},"items":{}})",
           R"({"kind":"PodList","metadata":{"resourceVersion":"7"},"items":[1]})",
           R"({"kind":"PodList","metadata":{"resourceVersion":""},"items":[]})",
           R"({"kind":"PodList","metadata":{},"items":[]})",
           R"({"kind":"PodList","items":[]})",
           R"({"kind":"NodeList","metadata":{"resourceVersion":"7"},"items":[]})",
           R"({"metadata":{"resourceVersion":"7"},"items":[]})",
           R"({})",
       }) {
    List list;
    EXPECT_FALSE(append_page("Pod", object(page), list)) << page;
    EXPECT_EQ(list.resource_version, "") << page;
  }
}

TEST(AppendPage, RefusesAPageOfAnotherSnapshot) {
  List list;
  list.resource_version = "7";
  EXPECT_EQ(
      append_page("Pod",
                  object(R"({"kind":"PodList","metadata":{"resourceVersion":"8"},"items":[{}]})"),
                  list)
          .error(),
      "the list has pages of different snapshots (7 and 8)");
  EXPECT_TRUE(list.items.empty());
}

}  // namespace
}  // namespace controller
