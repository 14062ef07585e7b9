#include "controller/store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "crd/core_types.hpp"

namespace controller {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::UnorderedElementsAre;

boost::json::object pod(std::string_view name, std::string_view version,
                        std::string_view phase = "") {
  return {
      {"metadata",
       boost::json::object{{"namespace", "shop"}, {"name", name}, {"resourceVersion", version}}},
      {"status", boost::json::object{{"phase", phase}}}};
}

class StoreTest : public testing::Test {
 protected:
  boost::asio::io_context io_;
  std::vector<std::string> changes_;
  Store<crd::Pod> store_{io_.get_executor(), crd::pod_from_json, [this](const crd::Pod& pod) {
                           changes_.push_back(pod.meta.name + "@" + pod.meta.resource_version);
                         }};

  /// Starts to wait; the answer appears in the result once there is one.
  std::shared_ptr<std::optional<bool>> wait_synced(std::chrono::milliseconds timeout) {
    auto answer = std::make_shared<std::optional<bool>>();
    boost::asio::co_spawn(io_, store_.wait_synced(timeout),
                          [answer](const std::exception_ptr&, bool synced) { *answer = synced; });
    return answer;
  }

  void run_what_is_ready() {
    io_.restart();
    io_.poll();
  }
};

TEST_F(StoreTest, IsEmptyAndNotSyncedAtFirst) {
  EXPECT_FALSE(store_.synced());
  EXPECT_THAT(store_.items(), IsEmpty());
  EXPECT_EQ(store_.find("shop/a"), nullptr);
}

TEST_F(StoreTest, HoldsDecodedObjectsByNamespaceAndName) {
  store_.replace({pod("a", "1"), pod("b", "2", "Running")});
  EXPECT_THAT(store_.items(), ElementsAre(Key("shop/a"), Key("shop/b")));
  ASSERT_NE(store_.find("shop/b"), nullptr);
  EXPECT_EQ(store_.find("shop/b")->phase, "Running");
  EXPECT_THAT(changes_, ElementsAre("a@1", "b@2"));
}

TEST_F(StoreTest, HoldsObjectsWithoutNamespaceByName) {
  Store<crd::Node> nodes{io_.get_executor(), crd::node_from_json, [](const crd::Node&) {}};
  nodes.apply({{"metadata", boost::json::object{{"name", "jetson"}}}});
  EXPECT_NE(nodes.find("jetson"), nullptr);
}

TEST_F(StoreTest, ReportsWhatChangesAndWhatGoes) {
  store_.replace({pod("a", "1")});
  changes_.clear();
  store_.apply(pod("a", "2", "Running"));
  store_.apply(pod("b", "3"));
  store_.remove(pod("a", "4"));
  EXPECT_THAT(changes_, ElementsAre("a@2", "b@3", "a@4"));
  EXPECT_THAT(store_.items(), ElementsAre(Key("shop/b")));
}

TEST_F(StoreTest, LetsNoOldVersionReplaceANewerOne) {
  store_.replace({pod("a", "10", "Running")});
  changes_.clear();
  store_.apply(pod("a", "9", "Pending"));
  EXPECT_EQ(store_.find("shop/a")->phase, "Running");
  EXPECT_THAT(changes_, IsEmpty());
}

TEST_F(StoreTest, TakesTheSameVersionAgain) {
  store_.replace({pod("a", "10", "Running")});
  store_.apply(pod("a", "10", "Running"));
  EXPECT_EQ(store_.find("shop/a")->phase, "Running");
}

TEST_F(StoreTest, ReportsObjectsThatANewListNoLongerHas) {
  store_.replace({pod("a", "1"), pod("b", "2")});
  changes_.clear();
  store_.replace({pod("b", "2"), pod("c", "5")});
  EXPECT_THAT(store_.items(), ElementsAre(Key("shop/b"), Key("shop/c")));
  EXPECT_THAT(changes_, UnorderedElementsAre("a@1", "b@2", "c@5"));
}

TEST_F(StoreTest, MayBeReadWhileItReports) {
  std::vector<std::size_t> sizes;
  Store<crd::Pod> store{io_.get_executor(), crd::pod_from_json,
                        [&](const crd::Pod&) { sizes.push_back(store.items().size()); }};
  store.replace({pod("a", "1"), pod("b", "2")});
  store.remove(pod("a", "3"));
  EXPECT_THAT(sizes, ElementsAre(2U, 2U, 1U)) << "it reports what is already there";
}

TEST_F(StoreTest, IsSyncedByAListAndNotByEvents) {
  store_.apply(pod("a", "1"));
  EXPECT_FALSE(store_.synced());
  store_.replace({});
  EXPECT_TRUE(store_.synced());
}

TEST_F(StoreTest, DoesNotWaitWhenItIsSynced) {
  store_.replace({});
  const auto answer = wait_synced(1h);
  run_what_is_ready();
  EXPECT_EQ(*answer, true);
}

TEST_F(StoreTest, WakesAllWhoWaitForTheFirstList) {
  const auto one = wait_synced(1h);
  const auto other = wait_synced(1h);
  run_what_is_ready();
  EXPECT_EQ(*one, std::nullopt);
  store_.replace({});
  run_what_is_ready();
  EXPECT_EQ(*one, true);
  EXPECT_EQ(*other, true);
}

TEST_F(StoreTest, GivesUpWaitingAfterTheTimeout) {
  const auto answer = wait_synced(1ms);
  io_.run_for(20s);
  EXPECT_EQ(*answer, false);
}

}  // namespace
}  // namespace controller
