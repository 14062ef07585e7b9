#include "reconcilers/messages.hpp"

#include <gtest/gtest.h>

namespace reconcilers {
namespace {

TEST(NameSome, NamesThreeAndCountsTheRest) {
  EXPECT_EQ(name_some({}), "");
  EXPECT_EQ(name_some({"a"}), "a");
  EXPECT_EQ(name_some({"a", "b"}), "a, b");
  EXPECT_EQ(name_some({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(name_some({"a", "b", "c", "d"}), "a, b, c and 1 more");
  EXPECT_EQ(name_some(std::vector<std::string>(1003, "x")), "x, x, x and 1000 more");
}

TEST(CountOf, KnowsThePlural) {
  EXPECT_EQ(count_of(0, "pod"), "0 pods");
  EXPECT_EQ(count_of(1, "pod"), "1 pod");
  EXPECT_EQ(count_of(2, "workload"), "2 workloads");
}

}  // namespace
}  // namespace reconcilers
