#include "controller/watch_decoder.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <vector>

namespace controller {
namespace {

using Type = WatchEvent::Type;

struct Decoded {
  std::vector<std::string> events;
  std::string failure;
  bool inside_event = false;
};

Decoded decode(const std::vector<std::string_view>& pieces, std::size_t max_event = 1024) {
  WatchDecoder decoder(max_event);
  std::deque<WatchEvent> events;
  Decoded out;
  for (const auto piece : pieces) {
    if (const auto fed = decoder.feed(piece, events); !fed) out.failure = fed.error();
  }
  for (const auto& event : events) {
    out.events.push_back(std::to_string(static_cast<int>(event.type)) + " " +
                         boost::json::serialize(event.object));
  }
  out.inside_event = decoder.inside_event();
  return out;
}

std::vector<std::string_view> single_bytes(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < text.size(); ++i) out.push_back(text.substr(i, 1));
  return out;
}

/// Every way to cut the input in two, and into single bytes, has to give what the whole gives.
void expect_same_for_every_split(std::string_view text, std::size_t max_event = 1024) {
  const auto whole = decode({text}, max_event);
  EXPECT_EQ(decode(single_bytes(text), max_event).events, whole.events);
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const auto split = decode({text.substr(0, i), text.substr(i)}, max_event);
    EXPECT_EQ(split.events, whole.events) << "split at " << i;
    EXPECT_EQ(split.failure.empty(), whole.failure.empty()) << "split at " << i;
    if (whole.failure.empty()) {
      EXPECT_EQ(split.inside_event, whole.inside_event) << "split at " << i;
    }
  }
}

constexpr std::string_view kStream =
    "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\\u00e4\\n\",\"uid\":\"1\"}}}\n"
    "{\"type\":\"MODIFIED\",\"object\":{\"spec\":{\"list\":[1,2.5,-3e2,true,null,{}]}}}\r\n\r\n"
    "{\"object\":{\"kind\":\"Pod\"},\"type\":\"BOOKMARK\"}{\"type\":\"DELETED\",\"object\":{}}\n"
    "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n";

TEST(WatchDecoder, DecodesEveryTypeOfEvent) {
  const auto decoded = decode({kStream});
  EXPECT_EQ(decoded.failure, "");
  EXPECT_FALSE(decoded.inside_event);
  ASSERT_EQ(decoded.events.size(), 5u);
  EXPECT_EQ(decoded.events[0][0], std::to_string(static_cast<int>(Type::Added))[0]);
  EXPECT_EQ(decoded.events[2],
            std::to_string(static_cast<int>(Type::Bookmark)) + R"( {"kind":"Pod"})");
  EXPECT_EQ(decoded.events[3], std::to_string(static_cast<int>(Type::Deleted)) + " {}");
  EXPECT_EQ(decoded.events[4],
            std::to_string(static_cast<int>(Type::Error)) + R"( {"kind":"Status","code":410})");
}

TEST(WatchDecoder, GivesTheSameEventsForEverySplitOfTheInput) {
  expect_same_for_every_split(kStream);
}

TEST(WatchDecoder, GivesTheSameFailureForEverySplitOfBadInput) {
  for (const std::string_view bad : {
           "{\"type\":\"ADDED\",\"object\":{}}\n<html>",
           "{\"type\":\"ADDED\",\"object\":{}}\n{\"type\":\"ADDED\"}\n",
           "{\"type\":\"ADDED\",\"object\":{}}\n{\"type\":\"ADDED\",\"object\":[]}\n",
           "{\"type\":\"ADDED\",\"object\":{}}\n{\"type\":7,\"object\":{}}\n",
           "{\"type\":\"ADDED\",\"object\":{\"a\":tru}}\n",
           "{\"type\":\"ADDED\",\"object\":{\"a\":\"\xff\"}}\n",
           "123\n",
           "\"text\"",
           "null",
       }) {
    SCOPED_TRACE(bad);
    EXPECT_NE(decode({bad}).failure, "");
    expect_same_for_every_split(bad);
  }
}

TEST(WatchDecoder, GivesTheEventsBeforeTheBadOne) {
  const auto decoded = decode({"{\"type\":\"ADDED\",\"object\":{}}\nnonsense"});
  EXPECT_EQ(decoded.events.size(), 1u);
  EXPECT_EQ(decoded.failure, "the watch sent what is not a JSON object");
}

TEST(WatchDecoder, GivesNothingMoreAfterAFailure) {
  const auto decoded = decode({"nonsense", "{\"type\":\"ADDED\",\"object\":{}}\n"});
  EXPECT_TRUE(decoded.events.empty());
  EXPECT_EQ(decoded.failure, "the watch sent what is not a JSON object");
}

TEST(WatchDecoder, SkipsAnEventOfAnUnknownType) {
  const auto decoded =
      decode({"{\"type\":\"NEWS\",\"object\":{}}\n{\"type\":\"ADDED\",\"object\":{}}\n"});
  EXPECT_EQ(decoded.events.size(), 1u);
  EXPECT_EQ(decoded.failure, "");
}

TEST(WatchDecoder, KnowsWhenItIsInsideAnEvent) {
  EXPECT_FALSE(decode({""}).inside_event);
  EXPECT_FALSE(decode({"\n \r\n"}).inside_event);
  EXPECT_TRUE(decode({"{"}).inside_event);
  EXPECT_TRUE(decode({"{\"type\":\"ADDED\",\"object\":{}"}).inside_event);
  EXPECT_FALSE(decode({"{\"type\":\"ADDED\",\"object\":{}}"}).inside_event);
}

TEST(WatchDecoder, BoundsAnEventToTheByteForEverySplit) {
  const std::string event = R"({"type":"ADDED","object":{"a":"0123456789"}})";
  const auto text = event + "\n" + event + "\n";
  EXPECT_EQ(decode({text}, event.size()).failure, "");
  expect_same_for_every_split(text, event.size());
  EXPECT_EQ(decode({text}, event.size() - 1).failure,
            "the watch sent an event of more than " + std::to_string(event.size() - 1) + " bytes");
  expect_same_for_every_split(text, event.size() - 1);
}

TEST(WatchDecoder, BoundsAnEventThatNeverEnds) {
  WatchDecoder decoder(1000);
  std::deque<WatchEvent> events;
  ASSERT_TRUE(decoder.feed("{\"a\":\"", events));
  int pieces = 0;
  while (decoder.feed(std::string(100, 'x'), events)) ASSERT_LT(++pieces, 20);
  EXPECT_EQ(pieces, 9);
}

TEST(WatchDecoder, RefusesWhatIsNestedTooDeep) {
  const auto nested = [](int depth) {
    return R"({"type":"ADDED","object":)" + [&] {
      std::string text;
      for (int i = 0; i < depth; ++i) text += "{\"a\":";
      return text + "1" + std::string(static_cast<std::size_t>(depth), '}');
    }() + "}";
  };
  EXPECT_EQ(decode({nested(60)}, 4096).failure, "");
  EXPECT_NE(decode({nested(70)}, 4096).failure, "");
}

}  // namespace
}  // namespace controller
