#include "controller/resource.hpp"

#include <gtest/gtest.h>

#include <string>

namespace controller {
namespace {

constexpr Resource kPods{"api/v1", "pods", "Pod", true};
constexpr Resource kNodes{"api/v1", "nodes", "Node", false};
constexpr Resource kRemovals{"apis/noderemoval.dev/v1alpha1", "noderemovals", "NodeRemoval", false};

TEST(Name, AcceptsWhatTheApiServerAccepts) {
  for (const std::string text :
       {"n1", "jetson", "node-1.example.com", "system:node", "a_b", "N", "..."}) {
    EXPECT_TRUE(Name::parse(text)) << text;
  }
  EXPECT_TRUE(Name::parse(std::string(253, 'a')));
}

TEST(Name, RefusesWhatWouldChangeThePath) {
  for (const std::string text : {"", ".", "..", "a/b", "/", "a?b", "a#b", "a%2fb", "a b", "a\n",
                                 "\xc3\xa4", "a\\b", "a&b"}) {
    EXPECT_FALSE(Name::parse(text)) << text;
  }
  EXPECT_FALSE(Name::parse(std::string(254, 'a')));
  EXPECT_FALSE(Name::parse(std::string_view("a\0b", 3)));
}

TEST(Name, SaysWhatIsWrong) {
  EXPECT_EQ(Name::parse("").error(), "is empty");
  EXPECT_EQ(Name::parse("a/b").error(),
            "has the byte 0x2f at position 1, which may not stand in a URL path");
  EXPECT_EQ(Name::parse("..").error(), "is \"..\", which is a directory in a URL path");
  EXPECT_EQ(Name::parse(std::string(300, 'a')).error(),
            "has 300 characters, at most 253 are allowed");
}

TEST(ObjectPath, HasTheNamespaceOnlyForNamespacedResources) {
  EXPECT_EQ(object_path({kPods, "default", "web-1"}), "/api/v1/namespaces/default/pods/web-1");
  EXPECT_EQ(object_path({kNodes, "ignored", "n1"}), "/api/v1/nodes/n1");
  EXPECT_EQ(object_path({kRemovals, "", "n1"}, "status"),
            "/apis/noderemoval.dev/v1alpha1/noderemovals/n1/status");
}

TEST(ObjectPath, NeverNamesACollection) {
  EXPECT_EQ(object_path({kNodes, "", ""}).error(), "name is empty");
  EXPECT_EQ(object_path({kPods, "", "web-1"}).error(), "namespace is empty");
  EXPECT_EQ(object_path({kPods, "default", ""}).error(), "name is empty");
  EXPECT_FALSE(object_path({kPods, "..", "web-1"}));
}

TEST(CollectionPath, MeansAllNamespacesWhenNoneIsGiven) {
  EXPECT_EQ(collection_path({kPods, ""}), "/api/v1/pods");
  EXPECT_EQ(collection_path({kPods, "kube-system"}), "/api/v1/namespaces/kube-system/pods");
  EXPECT_EQ(collection_path({kNodes, "ignored"}), "/api/v1/nodes");
  EXPECT_FALSE(collection_path({kPods, "a/b"}));
}

TEST(QueryString, EncodesEverythingButTheUnreservedCharacters) {
  EXPECT_EQ(query_string({}), "");
  EXPECT_EQ(query_string({{"limit", "500"}}), "?limit=500");
  EXPECT_EQ(query_string({{"fieldSelector", "spec.nodeName=n 1,a!=b&c"}, {"z", "~-._"}}),
            "?fieldSelector=spec.nodeName%3Dn%201%2Ca%21%3Db%26c&z=~-._");
  EXPECT_EQ(query_string({{"a", "\xc3\xa4\n+%"}}), "?a=%C3%A4%0A%2B%25");
}

}  // namespace
}  // namespace controller
