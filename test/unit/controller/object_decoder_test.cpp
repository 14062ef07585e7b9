#include "controller/object_decoder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string>
#include <vector>

#include "crd/core_types.hpp"

namespace controller {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Projection keep(std::vector<std::string_view> paths) { return Projection{paths}; }

/// What comes of the text when it is fed in these pieces: the objects, or the failure.
std::vector<std::string> decode(const Projection& fields,
                                const std::vector<std::string_view>& pieces) {
  std::vector<std::string> out;
  ObjectDecoder decoder{fields};
  for (auto piece : pieces) {
    while (!piece.empty()) {
      const auto fed = decoder.feed(piece);
      if (!fed) {
        out.push_back("failed");
        return out;
      }
      piece.remove_prefix(*fed);
      if (decoder.done()) out.push_back(boost::json::serialize(decoder.take()));
    }
  }
  return out;
}

void expect_same_for_every_split(const Projection& fields, std::string_view text) {
  const auto whole = decode(fields, {text});
  std::vector<std::string_view> bytes;
  for (std::size_t i = 0; i < text.size(); ++i) bytes.push_back(text.substr(i, 1));
  EXPECT_EQ(decode(fields, bytes), whole);
  for (std::size_t i = 1; i < text.size(); ++i) {
    EXPECT_EQ(decode(fields, {text.substr(0, i), text.substr(i)}), whole) << "split at " << i;
  }
}

constexpr std::string_view kText =
    R"({"kind":"Pod","skipped":{"a":[{"b":"c"},[1,[2]],"\u00e4\n"]},"metadata":{"name":"a\u00e4\n",)"
    R"("labels":{"x":"1"},"managedFields":[{"f":{}}]},"list":[1,-2.5,3e2,true,null,{"in":1,"out":2},)"
    R"([{"in":3}],18446744073709551615]})";

TEST(ObjectDecoder, KeepsEverythingOrWhatIsNamed) {
  EXPECT_THAT(decode({}, {kText}), ElementsAre(boost::json::serialize(boost::json::parse(kText))));
  EXPECT_THAT(decode(keep({"kind", "metadata|name", "list|in"}), {kText}),
              ElementsAre("{\"kind\":\"Pod\",\"metadata\":{\"name\":\"a\u00e4\\n\"},"
                          "\"list\":[1,-2.5E0,3E2,true,null,{\"in\":1},[{\"in\":3}],"
                          "18446744073709551615]}"));
  EXPECT_THAT(decode(keep({"metadata|labels"}), {kText}),
              ElementsAre(R"({"metadata":{"labels":{"x":"1"}}})"));
  EXPECT_THAT(decode(keep({"nothing"}), {kText}), ElementsAre("{}"));
}

TEST(ObjectDecoder, GivesTheSameForEverySplit) {
  expect_same_for_every_split({}, kText);
  expect_same_for_every_split(keep({"kind", "metadata|name", "list|in"}), kText);
  expect_same_for_every_split(keep({"list"}), "{\"list\":[\"a\\\"b\"]}\n \r\n{\"list\":{}}");
}

TEST(ObjectDecoder, RefusesWhatIsNoObject) {
  for (const std::string_view bad : {"[]", "1 ", "\"x\"", "null", "<html>", "{\"a\":tru}", "{]"}) {
    EXPECT_THAT(decode({}, {bad}), ElementsAre("failed")) << bad;
    expect_same_for_every_split({}, bad);
  }
}

TEST(ObjectDecoder, RefusesWhatIsNestedTooDeepAlsoWhereItIsSkipped) {
  const auto nested = [](std::size_t depth) {
    return R"({"skipped":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_THAT(decode(keep({"a"}), {nested(60)}), ElementsAre("{}"));
  EXPECT_THAT(decode(keep({"a"}), {nested(70)}), ElementsAre("failed"));
}

TEST(ObjectDecoder, HandsOutItemsAsTheyComeAndKeepsNoneOfThem) {
  std::vector<std::string> items;
  ObjectDecoder decoder{
      {}, [&](boost::json::object&& item) { items.push_back(boost::json::serialize(item)); }};
  ASSERT_TRUE(decoder.feed(R"({"items":[{"a":1,"items":[{"no":1}]},{)"));
  EXPECT_THAT(items, ElementsAre(R"({"a":1,"items":[{"no":1}]})"));
  ASSERT_TRUE(decoder.feed(R"("a":2}],"other":[{"b":3}]})"));
  ASSERT_TRUE(decoder.done());
  EXPECT_THAT(items, testing::SizeIs(2));
  EXPECT_EQ(boost::json::serialize(decoder.take()), R"({"items":[],"other":[{"b":3}]})");
}

TEST(ObjectDecoder, RefusesAnItemThatIsNoObject) {
  ObjectDecoder decoder{{}, [](boost::json::object&&) {}};
  const auto fed = decoder.feed(R"({"items":[{},7]})");
  ASSERT_FALSE(fed);
  EXPECT_THAT(fed.error(), HasSubstr("has an item that is no object"));
}

constexpr std::string_view kPod = R"({"apiVersion": "v1", "kind": "Pod", "metadata": {
  "name": "web-1", "namespace": "shop", "uid": "u", "resourceVersion": "9", "generation": 1,
  "creationTimestamp": "2026-01-31T08:15:00Z", "deletionTimestamp": "2026-01-31T08:16:00Z",
  "deletionGracePeriodSeconds": 7, "finalizers": ["a/b"], "labels": {"app": "web"},
  "annotations": {"kubernetes.io/config.mirror": "x", "much": "text"},
  "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "o",
                       "controller": true}], "managedFields": [{"manager": "kubelet"}]},
 "spec": {"nodeName": "jetson", "priorityClassName": "high", "terminationGracePeriodSeconds": 3,
  "tolerations": [{"key": "k", "operator": "Exists", "effect": "NoExecute"}],
  "containers": [{"name": "main", "env": [{"name": "A", "value": "B"}]}],
  "volumes": [{"name": "v", "emptyDir": {}}, {"name": "e", "ephemeral": {"volumeClaimTemplate": {}}},
              {"name": "d", "persistentVolumeClaim": {"claimName": "data"}}]},
 "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "main"}]}})";

constexpr std::string_view kNode = R"({"metadata": {
  "name": "jetson", "uid": "u", "resourceVersion": "9", "creationTimestamp": "2026-01-31T08:15:00Z",
  "deletionTimestamp": "2026-01-31T08:16:00Z", "finalizers": ["a/b"],
  "labels": {"node-role.kubernetes.io/control-plane": ""},
  "annotations": {"noderemoval.dev/claim": "c", "noderemoval.dev/protect": "p", "much": "text"}},
 "spec": {"unschedulable": true, "taints": [{"key": "t", "effect": "NoSchedule", "timeAdded": "x"}]},
 "status": {"images": [{"names": ["n"]}], "conditions": [{"type": "Ready", "status": "False",
  "lastTransitionTime": "2026-01-31T08:15:00Z", "reason": "r", "message": "m",
  "lastHeartbeatTime": "2026-01-31T08:15:00Z"}]}})";

TEST(Fields, AreAllThatIsReadOfAPod) {
  auto whole = crd::pod_from_json(boost::json::parse(kPod).as_object());
  const auto kept = boost::json::parse(decode(Projection{crd::kPodFields}, {kPod}).front());
  const auto pod = crd::pod_from_json(kept.as_object());
  EXPECT_FALSE(kept.at("spec").as_object().contains("containers"));
  EXPECT_EQ(whole.meta.annotations.erase("much"), 1U);
  whole.meta.generation = 0;  // of no use in a pod
  EXPECT_EQ(pod.meta, whole.meta);
  EXPECT_EQ(pod.node_name, "jetson");
  EXPECT_EQ(pod.priority_class, whole.priority_class);
  EXPECT_EQ(pod.grace_period_seconds, 3);
  EXPECT_EQ(pod.tolerations, whole.tolerations);
  EXPECT_TRUE(pod.ready && pod.empty_dir && pod.is_mirror());
  EXPECT_THAT(pod.claims, ElementsAre("web-1-e", "data"));
  EXPECT_EQ(pod.phase, "Running");
}

TEST(Fields, AreAllThatIsReadOfANode) {
  auto whole = crd::node_from_json(boost::json::parse(kNode).as_object());
  const auto kept = boost::json::parse(decode(Projection{crd::kNodeFields}, {kNode}).front());
  const auto node = crd::node_from_json(kept.as_object());
  EXPECT_EQ(whole.meta.annotations.erase("much"), 1U);
  EXPECT_EQ(node.meta, whole.meta);
  EXPECT_EQ(node.taints_json, whole.taints_json);
  EXPECT_TRUE(node.unschedulable && node.is_control_plane());
  EXPECT_EQ(node.ready, crd::ConditionStatus::False);
  EXPECT_EQ(node.ready_transition_time, whole.ready_transition_time);
  EXPECT_EQ(node.ready_reason + node.ready_message, "rm");
}

TEST(Fields, AreAllThatIsReadOfAVolumeAttachment) {
  constexpr std::string_view kAttachment = R"({"metadata": {"name": "a", "uid": "u"}, "spec": {
      "attacher": "x", "nodeName": "jetson", "source": {"persistentVolumeName": "pv"}}})";
  const auto kept =
      boost::json::parse(decode(Projection{crd::kVolumeAttachmentFields}, {kAttachment}).front());
  const auto attachment = crd::volume_attachment_from_json(kept.as_object());
  EXPECT_EQ(attachment.meta.name + attachment.node_name + attachment.volume, "ajetsonpv");
}

/// How the decoder fails when `piece` is repeated after `begin` for ever.
std::string failure_of_endless(std::string_view begin, std::string piece,
                               ObjectDecoder::OnItem on_item = {}) {
  while (piece.size() < 1'000'000) piece += piece;
  ObjectDecoder decoder{{}, std::move(on_item)};
  if (!decoder.feed(begin)) return "at once";
  for (int i = 0; i < 1000; ++i) {
    if (const auto fed = decoder.feed(piece); !fed) return fed.error();
  }
  return "never";
}

TEST(ObjectDecoder, KeepsNothingThatHasNoEnd) {
  const std::string too_large = "that has an object of more than 67108864 bytes";
  EXPECT_EQ(failure_of_endless(R"({"a":")", "x"), too_large);
  EXPECT_EQ(failure_of_endless(R"({"a":[{})", ",{}"), too_large);
  EXPECT_EQ(failure_of_endless(R"({"items":[{"a":[1)", ",1", [](auto&&) {}), too_large);
  EXPECT_EQ(failure_of_endless(R"({"items":[{})", ",{}", [](auto&&) {}),
            "that has more than 1000000 items");
}

}  // namespace
}  // namespace controller
