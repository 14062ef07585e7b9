#include "crd/core_types.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace crd {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

boost::json::object object(std::string_view text) { return boost::json::parse(text).as_object(); }

constexpr TimePoint kBoot{1'700'000'000s};  // 2023-11-14T22:13:20Z

// --- metadata

TEST(ObjectMeta, IsReadCompletely) {
  const auto meta = object_meta_from_json(object(R"({"metadata": {
      "name": "web-1", "namespace": "shop", "uid": "u1", "resourceVersion": "42", "generation": 3,
      "creationTimestamp": "2023-11-14T22:13:20Z", "deletionTimestamp": "2023-11-14T22:13:50Z",
      "deletionGracePeriodSeconds": 30, "finalizers": ["a/b", "c/d"], "labels": {"app": "web"},
      "annotations": {"note": "x"},
      "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "uid": "rs",
                           "controller": true, "blockOwnerDeletion": true}]}})"));
  EXPECT_EQ(meta, (ObjectMeta{.name = "web-1",
                              .ns = "shop",
                              .uid = "u1",
                              .resource_version = "42",
                              .generation = 3,
                              .creation_timestamp = kBoot,
                              .deletion_timestamp = kBoot + 30s,
                              .deletion_grace_period_seconds = 30,
                              .finalizers = {"a/b", "c/d"},
                              .labels = {{"app", "web"}},
                              .annotations = {{"note", "x"}},
                              .owner_references = {{.kind = "ReplicaSet",
                                                    .name = "web",
                                                    .uid = "rs",
                                                    .api_version = "apps/v1",
                                                    .controller = true}}}));
}

TEST(ObjectMeta, ReadsNullMissingAndMistypedMembersAsAbsent) {
  for (
      const std::string_view text : {
          R"({})",
          R"({"metadata": null})",
          R"({"metadata": "web"})",
          R"({"metadata": {"name": null, "uid": null, "generation": null, "deletionTimestamp": null,
               "deletionGracePeriodSeconds": null, "finalizers": null, "labels": null,
               "annotations": null, "ownerReferences": null}})",
          R"({"metadata": {"name": 1, "uid": {}, "resourceVersion": 42, "generation": "3",
               "deletionTimestamp": "soon", "creationTimestamp": 5, "finalizers": "a/b",
               "labels": ["a"], "annotations": {"n": 1}, "ownerReferences": [null, 7]}})",
      }) {
    EXPECT_EQ(object_meta_from_json(object(text)), ObjectMeta{}) << text;
  }
}

TEST(ObjectMeta, KnowsItsControllerAmongOtherOwners) {
  const auto meta = object_meta_from_json(object(R"({"metadata": {"ownerReferences": [
      {"kind": "Widget", "name": "w"}, {"kind": "Job", "name": "j", "controller": true}]}})"));
  ASSERT_NE(meta.controller(), nullptr);
  EXPECT_EQ(meta.controller()->name, "j");
}

TEST(ObjectMeta, HasNoControllerWhenNoOwnerSaysSo) {
  const auto meta = object_meta_from_json(object(R"({"metadata": {"ownerReferences": [
      {"kind": "Widget", "name": "w"}, {"kind": "Job", "name": "j", "controller": false}]}})"));
  EXPECT_EQ(meta.controller(), nullptr);
}

TEST(IsNewer, ComparesVersionsAsNumbersAndAnythingElseAsOlder) {
  const struct {
    std::string_view a;
    std::string_view b;
    bool newer;
  } kCases[] = {
      {"10", "9", true},   {"9", "10", false},
      {"9", "9", false},   {"18446744073709551615", "9", true},
      {"", "9", false},    {"9", "", true},
      {"abc", "9", false}, {"9x", "8", false},
      {"-1", "0", false},  {"99999999999999999999999", "1", false},
  };
  for (const auto& [a, b, newer] : kCases) {
    ObjectMeta one;
    one.resource_version = a;
    ObjectMeta other;
    other.resource_version = b;
    EXPECT_EQ(is_newer(one, other), newer) << a << " and " << b;
  }
}

// --- nodes

TEST(Node, IsReadFromWhatAKubeletReports) {
  const auto node = node_from_json(object(R"({"metadata": {"name": "jetson", "uid": "n1"},
      "spec": {"unschedulable": true, "podCIDR": "10.0.0.0/24", "taints": [
        {"key": "node.kubernetes.io/unreachable", "effect": "NoExecute",
         "timeAdded": "2023-11-14T22:13:20Z"},
        {"key": "gpu", "value": "yes", "effect": "NoSchedule"}]},
      "status": {"conditions": [
        {"type": "MemoryPressure", "status": "False", "reason": "KubeletHasSufficientMemory"},
        {"type": "Ready", "status": "Unknown", "reason": "NodeStatusUnknown",
         "message": "Kubelet stopped posting node status.",
         "lastTransitionTime": "2023-11-14T22:13:20Z"}]}})"));
  EXPECT_EQ(node.meta.name, "jetson");
  EXPECT_TRUE(node.unschedulable);
  EXPECT_THAT(node.taints, ElementsAre(Taint{"node.kubernetes.io/unreachable", "", "NoExecute"},
                                       Taint{"gpu", "yes", "NoSchedule"}));
  EXPECT_EQ(node.ready, ConditionStatus::Unknown);
  EXPECT_EQ(node.ready_transition_time, kBoot);
  EXPECT_EQ(node.ready_reason, "NodeStatusUnknown");
  EXPECT_EQ(node.ready_message, "Kubelet stopped posting node status.");
}

TEST(Node, KeepsFieldsOfTaintsThatItDoesNotRead) {
  const std::string_view taints =
      R"([{"key":"a","effect":"NoExecute","timeAdded":"2023-11-14T22:13:20Z"}])";
  const auto node =
      node_from_json({{"spec", boost::json::object{{"taints", boost::json::parse(taints)}}}});
  EXPECT_EQ(boost::json::serialize(node.taints_json), taints);
}

TEST(Node, IsReadyOnlyWhenItsConditionSaysTrue) {
  const struct {
    std::string_view conditions;
    ConditionStatus ready;
  } kCases[] = {
      {R"([{"type": "Ready", "status": "True"}])", ConditionStatus::True},
      {R"([{"type": "Ready", "status": "False"}])", ConditionStatus::False},
      {R"([{"type": "Ready", "status": "Unknown"}])", ConditionStatus::Unknown},
      {R"([{"type": "Ready", "status": "true"}])", ConditionStatus::Unknown},
      {R"([{"type": "Ready", "status": true}])", ConditionStatus::Unknown},
      {R"([{"type": "Ready"}])", ConditionStatus::Unknown},
      {R"([{"type": "ready", "status": "True"}])", ConditionStatus::Unknown},
      {R"([null, 3])", ConditionStatus::Unknown},
      {R"([])", ConditionStatus::Unknown},
      {R"(null)", ConditionStatus::Unknown},
  };
  for (const auto& [conditions, ready] : kCases) {
    const auto node = node_from_json(
        {{"status", boost::json::object{{"conditions", boost::json::parse(conditions)}}}});
    EXPECT_EQ(node.ready, ready) << conditions;
    EXPECT_EQ(node.is_ready(), ready == ConditionStatus::True) << conditions;
    EXPECT_EQ(node.ready_transition_time, std::nullopt) << conditions;
  }
}

TEST(Node, IsAControlPlaneByEitherLabel) {
  const struct {
    std::string_view labels;
    bool control_plane;
  } kCases[] = {
      {R"({"node-role.kubernetes.io/control-plane": ""})", true},
      {R"({"node-role.kubernetes.io/master": ""})", true},
      {R"({"node-role.kubernetes.io/worker": ""})", false},
      {R"({})", false},
  };
  for (const auto& [labels, control_plane] : kCases) {
    const auto node =
        node_from_json({{"metadata", boost::json::object{{"labels", boost::json::parse(labels)}}}});
    EXPECT_EQ(node.is_control_plane(), control_plane) << labels;
  }
}

TEST(Node, IsNothingInParticularWhenMembersAreNullOrMistyped) {
  for (const std::string_view text :
       {R"({"metadata": {"name": "n"}, "spec": null, "status": null})",
        R"({"metadata": {"name": "n"}, "spec": [], "status": "Ready"})",
        R"({"metadata": {"name": "n"}, "spec": {"unschedulable": null, "taints": null}})",
        R"({"metadata": {"name": "n"}, "spec": {"unschedulable": "true", "taints": {"a": 1}}})"}) {
    const auto node = node_from_json(object(text));
    EXPECT_EQ(node.meta.name, "n") << text;
    EXPECT_FALSE(node.unschedulable) << text;
    EXPECT_TRUE(node.taints.empty()) << text;
    EXPECT_FALSE(node.is_ready()) << text;
  }
}

// --- pods

TEST(Pod, IsReadFromAPodOfAReplicaSet) {
  const auto pod = pod_from_json(object(R"({
      "metadata": {"name": "web-1", "namespace": "shop", "uid": "p1", "ownerReferences": [
        {"kind": "ReplicaSet", "name": "web", "uid": "rs", "controller": true}]},
      "spec": {"nodeName": "jetson", "volumes": [
        {"name": "kube-api-access", "projected": {"sources": []}},
        {"name": "conf", "configMap": {"name": "web"}}]},
      "status": {"phase": "Running", "conditions": [
        {"type": "Initialized", "status": "True"}, {"type": "Ready", "status": "True"}]}})"));
  EXPECT_EQ(pod.full_name(), "shop/web-1");
  EXPECT_EQ(pod.ref(), (PodRef{"shop", "web-1", "p1"}));
  EXPECT_EQ(pod.node_name, "jetson");
  EXPECT_EQ(pod.phase, "Running");
  EXPECT_TRUE(pod.ready);
  EXPECT_FALSE(pod.empty_dir);
  EXPECT_TRUE(pod.claims.empty());
  EXPECT_EQ(pod.grace_period_seconds, 30);
  EXPECT_FALSE(pod.is_terminating());
  EXPECT_FALSE(pod.is_finished());
  EXPECT_FALSE(pod.is_mirror());
}

TEST(Pod, IsAMirrorByItsAnnotation) {
  const auto pod = pod_from_json(object(R"({"metadata": {"annotations": {
      "kubernetes.io/config.hash": "0f1", "kubernetes.io/config.mirror": "0f1"}}})"));
  EXPECT_TRUE(pod.is_mirror());
}

TEST(Pod, TellsVolumesThatLoseDataAndThoseThatAreClaimed) {
  const struct {
    std::string_view volumes;
    bool empty_dir;
    std::vector<std::string> claims;
  } kCases[] = {
      {R"([{"name": "a", "emptyDir": {}}])", true, {}},
      {R"([{"name": "a", "emptyDir": {"medium": "Memory"}}])", true, {}},
      {R"([{"name": "a", "persistentVolumeClaim": {"claimName": "data"}}])", false, {"data"}},
      {R"([{"name": "a", "ephemeral": {"volumeClaimTemplate": {}}}])", false, {"web-1-a"}},
      {R"([{"name": "a", "emptyDir": {}},
           {"name": "b", "persistentVolumeClaim": {"claimName": "x"}},
           {"name": "c", "persistentVolumeClaim": {"claimName": "y"}}])",
       true,
       {"x", "y"}},
      {R"([{"name": "a", "hostPath": {"path": "/"}}])", false, {}},
      {R"([{"name": "a", "emptyDir": null}])", false, {}},
      {R"([null, 1, "emptyDir"])", false, {}},
      {R"({"emptyDir": {}})", false, {}},
      {R"(null)", false, {}},
  };
  for (const auto& [volumes, empty_dir, claims] : kCases) {
    const auto pod =
        pod_from_json({{"metadata", boost::json::object{{"name", "web-1"}}},
                       {"spec", boost::json::object{{"volumes", boost::json::parse(volumes)}}}});
    EXPECT_EQ(pod.empty_dir, empty_dir) << volumes;
    EXPECT_EQ(pod.claims, claims) << volumes;
  }
}

TEST(Pod, ToleratesTaintsAsTheSchedulerSeesIt) {
  const Taint taint{"key", "value", "NoSchedule"};
  const std::pair<std::string_view, bool> kCases[] = {
      {R"({})", false},
      {R"({"operator": "Exists"})", true},
      {R"({"operator": "Exists", "effect": "NoSchedule"})", true},
      {R"({"operator": "Exists", "effect": "NoExecute"})", false},
      {R"({"key": "key", "operator": "Exists"})", true},
      {R"({"key": "other", "operator": "Exists"})", false},
      {R"({"key": "key", "operator": "Equal", "value": "value"})", true},
      {R"({"key": "key", "value": "value", "effect": "NoSchedule"})", true},
      {R"({"key": "key", "value": "another"})", false},
      {R"({"key": "key"})", false},
  };
  for (const auto& [toleration, tolerated] : kCases) {
    const auto pod = pod_from_json(
        {{"spec", boost::json::object{
                      {"tolerations", boost::json::array{boost::json::parse(toleration)}}}}});
    EXPECT_EQ(pod.tolerates(taint), tolerated) << toleration;
  }
}

TEST(Pod, HasAPriorityClassAndAGracePeriod) {
  const auto pod = pod_from_json(object(R"({"spec": {
      "priorityClassName": "system-node-critical", "terminationGracePeriodSeconds": 5}})"));
  EXPECT_EQ(pod.priority_class, "system-node-critical");
  EXPECT_EQ(pod.grace_period_seconds, 5);
}

TEST(Pod, IsFinishedInTheTwoFinalPhases) {
  for (const auto& [phase, finished] :
       {std::pair{"Succeeded", true}, std::pair{"Failed", true}, std::pair{"Running", false},
        std::pair{"Pending", false}, std::pair{"Unknown", false}, std::pair{"", false}}) {
    Pod pod;
    pod.phase = phase;
    EXPECT_EQ(pod.is_finished(), finished) << phase;
  }
}

TEST(Pod, IsTerminatingFromItsDeletionTimestampOn) {
  const auto pod = pod_from_json(object(R"({"metadata": {
      "deletionTimestamp": "2023-11-14T22:13:20Z", "deletionGracePeriodSeconds": 0}})"));
  EXPECT_TRUE(pod.is_terminating());
  EXPECT_EQ(pod.meta.deletion_timestamp, kBoot);
  EXPECT_EQ(pod.meta.deletion_grace_period_seconds, 0);
}

TEST(Pod, IsReadWithNullsEverywhere) {
  const auto pod = pod_from_json(object(
      R"({"metadata": {"name": "p", "annotations": null}, "spec": null, "status": {"conditions": null}})"));
  EXPECT_EQ(pod.meta.name, "p");
  EXPECT_EQ(pod.node_name, "");
  EXPECT_FALSE(pod.ready);
}

// --- workloads

TEST(Workload, IsReadFromAReplicaSet) {
  const auto workload = workload_from_json(object(R"({
      "metadata": {"name": "web", "namespace": "shop", "uid": "rs"},
      "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}},
      "status": {"replicas": 3, "readyReplicas": 2}})"));
  EXPECT_EQ(workload.meta.uid, "rs");
  EXPECT_EQ(workload.desired, 3);
  EXPECT_EQ(workload.ready, 2);
  ASSERT_TRUE(workload.selector);
  EXPECT_EQ(workload.selector->query(), "app=web");
}

TEST(Workload, WrapsThePlainSelectorOfAReplicationController) {
  const auto workload =
      workload_from_json(object(R"({"spec": {"selector": {"app": "old", "tier": "db"}}})"));
  ASSERT_TRUE(workload.selector);
  EXPECT_EQ(workload.selector->query(), "app=old,tier=db");
}

TEST(Workload, KeepsASelectorThatHasOnlyExpressions) {
  const auto workload = workload_from_json(object(R"({"spec": {"selector": {"matchExpressions": [
      {"key": "app", "operator": "Exists"}]}}})"));
  ASSERT_TRUE(workload.selector);
  EXPECT_EQ(workload.selector->query(), "app");
}

TEST(Workload, WantsOneReplicaUnlessItSaysOtherwise) {
  EXPECT_EQ(workload_from_json(object(R"({"spec": {}})")).desired, 1);
  EXPECT_EQ(workload_from_json(object(R"({"spec": {"replicas": null}})")).desired, 1);
  EXPECT_EQ(workload_from_json(object(R"({"spec": {"replicas": 0}})")).desired, 0);
  EXPECT_EQ(workload_from_json(object(R"({"status": {}})")).ready, 0);
}

TEST(Workload, WithoutASelectorAsksForNothing) {
  for (const std::string_view text :
       {R"({})", R"({"spec": {"selector": null}})", R"({"spec": {"selector": {}}})"}) {
    EXPECT_EQ(workload_from_json(object(text)).selector, LabelSelector{}) << text;
  }
}

TEST(VolumeAttachment, IsReadWithItsNodeAndVolume) {
  const auto attachment = volume_attachment_from_json(object(R"({"metadata": {"name": "csi-1"},
      "spec": {"attacher": "csi", "nodeName": "jetson", "source": {"persistentVolumeName": "pv-7"}}})"));
  EXPECT_EQ(attachment.meta.name, "csi-1");
  EXPECT_EQ(attachment.node_name, "jetson");
  EXPECT_EQ(attachment.volume, "pv-7");
}

TEST(VolumeAttachment, MayHaveAnInlineVolume) {
  const auto attachment = volume_attachment_from_json(object(
      R"({"spec": {"nodeName": "jetson", "source": {"persistentVolumeName": null, "inlineVolumeSpec": {}}}})"));
  EXPECT_EQ(attachment.node_name, "jetson");
  EXPECT_EQ(attachment.volume, "");
}

}  // namespace
}  // namespace crd
