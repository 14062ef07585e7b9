#include "controller/host_cleanup/start_signal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace host_cleanup {
namespace {

namespace bj = boost::json;
using Word = StartSignal::Word;

const Request kRequest{.removal_uid = "r-1",
                       .node_name = "worker-9",
                       .node_uid = "n-1",
                       .timeout = {},
                       .arguments = {}};

bj::object node(const std::string& uid, const std::string& claim, const std::string& start) {
  bj::object annotations;
  if (!claim.empty()) annotations["noderemoval.dev/claim"] = claim;
  if (!start.empty()) annotations["noderemoval.dev/host-cleanup-start"] = start;
  return {
      {"metadata", bj::object{{"name", "worker-9"}, {"uid", uid}, {"annotations", annotations}}}};
}

Word word_for(const std::string& uid, const std::string& claim, const std::string& start) {
  return start_signal_of(node(uid, claim, start), kRequest).word;
}

const std::string kClaim = R"({"name":"x","uid":"r-1"})";

TEST(StartSignal, IsGivenByTheAnnotationOfThisRemovalAlone) {
  EXPECT_EQ(word_for("n-1", kClaim, "r-1"), Word::Start);
  EXPECT_EQ(word_for("n-1", kClaim, ""), Word::Wait);
  EXPECT_EQ(word_for("n-1", kClaim, "r-2"), Word::Wait);
}

TEST(StartSignal, NeverComesForAnotherNodeOrARemovalThatIsOver) {
  EXPECT_EQ(word_for("n-2", kClaim, "r-1"), Word::Stop);
  EXPECT_EQ(word_for("", kClaim, "r-1"), Word::Stop);
  for (const auto* claim : {"", "r-1", "{}", R"({"uid":"r-2"})", R"({"uid":7})", "nonsense"}) {
    EXPECT_EQ(word_for("n-1", claim, "r-1"), Word::Stop) << claim;
  }
}

TEST(StartSignal, IsWaitedForOnlyOnAnObjectWithMetadata) {
  EXPECT_EQ(start_signal_of({}, kRequest).word, Word::Stop);
}

TEST(AddressesOfNode, AreThoseThatAreNoNames) {
  const auto value = bj::parse(R"({"status":{"addresses":[
      {"type":"InternalIP","address":"192.0.2.7"},{"type":"Hostname","address":"worker-9"},
      {"type":"ExternalIP","address":"2001:db8::7"},"x"]}})");
  EXPECT_THAT(addresses_of_node(value.as_object()),
              testing::ElementsAre("192.0.2.7", "2001:db8::7"));
  EXPECT_THAT(addresses_of_node({}), testing::IsEmpty());
}

}  // namespace
}  // namespace host_cleanup
