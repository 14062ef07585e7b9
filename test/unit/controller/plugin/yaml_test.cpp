#include "controller/plugin/yaml.hpp"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "test/unit/controller/plugin/removals.hpp"

namespace plugin {
namespace {

namespace bj = boost::json;

TEST(Yaml, IsWhatAReaderExpects) {
  EXPECT_EQ(to_yaml(bj::parse(R"({"kind":"NodeRemoval","spec":{"nodeName":"jetson","suspend":false,
    "drain":{},"list":["a",1,null],"empty":[]}})")),
            "kind: NodeRemoval\n"
            "spec:\n"
            "  nodeName: jetson\n"
            "  suspend: false\n"
            "  drain: {}\n"
            "  list:\n"
            "    - a\n"
            "    - 1\n"
            "    - ~\n"
            "  empty: []\n");
}

TEST(Yaml, TextStaysText) {
  for (const std::string text : {"true",
                                 "No",
                                 "null",
                                 "~",
                                 "",
                                 "12",
                                 "1e3",
                                 "0x1f",
                                 "2026-01-31T08:15:00Z",
                                 "a: b",
                                 "- x",
                                 "#",
                                 "two\nlines",
                                 "\"quoted\"",
                                 " x ",
                                 "%",
                                 "@a",
                                 "y",
                                 "\x1b[2J",
                                 "h\xc3\xa4user",
                                 "25%",
                                 "Infinity",
                                 ".nan"}) {
    const auto yaml = to_yaml(bj::object{{"text", text}});
    const auto read = YAML::Load(yaml)["text"];
    EXPECT_TRUE(read.IsScalar()) << yaml;
    EXPECT_EQ(read.as<std::string>(), text) << yaml;
    const bool quoted = read.Tag() == "!";
    EXPECT_TRUE(quoted || text == "Infinity") << yaml;
    EXPECT_EQ(yaml.find('\x1b'), std::string::npos);
  }
}

TEST(Json, IsIndentedAndTheSame) {
  const auto object = object_of(kJetson, blocked_status());
  const auto text = to_pretty_json(object);
  EXPECT_EQ(bj::serialize(bj::parse(text)), bj::serialize(object));
  EXPECT_TRUE(text.starts_with("{\n    \"apiVersion\": \"noderemoval.dev/v1alpha1\",\n")) << text;
  EXPECT_EQ(to_pretty_json(bj::parse(R"({"a":[],"b":{},"c":[1]})")),
            "{\n    \"a\": [],\n    \"b\": {},\n    \"c\": [\n        1\n    ]\n}\n");
}

}  // namespace
}  // namespace plugin
