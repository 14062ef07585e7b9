#include "controller/delete_options.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

using std::chrono::seconds;

// Golden bytes: the server ignores a precondition whose key is misspelt, and deletes.

TEST(DeleteOptions, CarriesTheUidAsPrecondition) {
  EXPECT_EQ(delete_options("u-1", "", std::nullopt),
            R"({"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u-1"}})");
}

TEST(DeleteOptions, CarriesUidAndResourceVersion) {
  EXPECT_EQ(delete_options("u-1", "42", std::nullopt),
            R"({"apiVersion":"v1","kind":"DeleteOptions",)"
            R"("preconditions":{"uid":"u-1","resourceVersion":"42"}})");
}

TEST(DeleteOptions, CarriesTheGracePeriodAlsoWhenItIsZero) {
  EXPECT_EQ(delete_options("u-1", "", seconds(0)),
            R"({"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"u-1"},)"
            R"("gracePeriodSeconds":0})");
}

TEST(DeleteOptions, EscapesWhatIsNotAUid) {
  EXPECT_EQ(delete_options("\"}", "", std::nullopt),
            R"({"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"\"}"}})");
}

TEST(Eviction, CarriesTheUidAsPrecondition) {
  EXPECT_EQ(eviction("policy/v1", {"default", "web-1", "u-1"}, std::nullopt, false),
            R"({"apiVersion":"policy/v1","kind":"Eviction",)"
            R"("metadata":{"name":"web-1","namespace":"default"},)"
            R"("deleteOptions":{"preconditions":{"uid":"u-1"}}})");
}

TEST(Eviction, CarriesTheGracePeriodAndTheOlderVersion) {
  EXPECT_EQ(eviction("policy/v1beta1", {"default", "web-1", "u-1"}, seconds(30), false),
            R"({"apiVersion":"policy/v1beta1","kind":"Eviction",)"
            R"("metadata":{"name":"web-1","namespace":"default"},)"
            R"("deleteOptions":{"preconditions":{"uid":"u-1"},"gracePeriodSeconds":30}})");
}

TEST(Eviction, AsksForADryRunInItsBody) {
  EXPECT_EQ(eviction("policy/v1", {"default", "web-1", "u-1"}, std::nullopt, true),
            R"({"apiVersion":"policy/v1","kind":"Eviction",)"
            R"("metadata":{"name":"web-1","namespace":"default"},)"
            R"("deleteOptions":{"preconditions":{"uid":"u-1"},"dryRun":["All"]}})");
}

}  // namespace
}  // namespace controller
