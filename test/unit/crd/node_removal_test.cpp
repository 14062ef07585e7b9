#include "crd/node_removal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include "crd/json.hpp"

namespace crd {

void PrintTo(const NodeRemovalStatus& status, std::ostream* out) {
  *out << boost::json::serialize(to_json(status));
}

namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr TimePoint kThen{1'700'000'000s};

boost::json::object object(std::string_view text) { return boost::json::parse(text).as_object(); }

NodeRemovalSpec spec_of(std::string_view text) {
  return node_removal_from_json({{"spec", object(text)}}).spec;
}

// --- spec

TEST(Spec, HasTheDocumentedDefaults) {
  const auto spec = spec_of(R"({"nodeName": "jetson"})");
  EXPECT_EQ(spec.node_name, "jetson");
  EXPECT_EQ(spec.node_uid, "");
  EXPECT_FALSE(spec.node_selector || spec.max_concurrent || spec.ttl_seconds_after_finished);
  EXPECT_FALSE(spec.suspend || spec.dry_run || spec.host_cleanup.enabled ||
               spec.allow_control_plane);
  EXPECT_TRUE(spec.delete_node);
  EXPECT_FALSE(spec.drain.force || spec.drain.delete_empty_dir_data || spec.drain.disable_eviction);
  EXPECT_FALSE(spec.drain.pod_selector || spec.drain.wait_for_completion);
  EXPECT_TRUE(spec.drain.ignore_daemon_sets);
  EXPECT_EQ(spec.drain.grace_period_seconds, std::nullopt);
  EXPECT_EQ(spec.drain.timeout_seconds, 3600);
  EXPECT_EQ(spec.drain.on_timeout, DrainTimeoutAction::Fail);
  EXPECT_TRUE(spec.migration.wait);
  EXPECT_EQ(spec.migration.timeout_seconds, 600);
  EXPECT_EQ(spec.migration.on_timeout, TimeoutAction::Continue);
  EXPECT_TRUE(spec.volumes.wait_for_detach);
  EXPECT_EQ(spec.volumes.timeout_seconds, 300);
  EXPECT_EQ(spec.volumes.on_timeout, TimeoutAction::Continue);
  EXPECT_EQ(spec.unreachable.tolerance_seconds, 300);
  EXPECT_FALSE(spec.unreachable.fenced);
  EXPECT_THAT(spec.decode_errors, IsEmpty());
}

TEST(Spec, IsReadInEveryField) {
  const auto spec = spec_of(
      R"({"nodeName": "jetson", "nodeUID": "u1", "nodeSelector": {"matchLabels": {"pool": "edge"}},
      "maxConcurrent": "10%", "suspend": true, "dryRun": true, "deleteNode": false,
      "allowControlPlane": true, "ttlSecondsAfterFinished": 0,
      "drain": {"force": true, "deleteEmptyDirData": true, "ignoreDaemonSets": false,
                "gracePeriodSeconds": 5, "timeoutSeconds": 1, "onTimeout": "Delete",
                "podSelector": {"matchLabels": {"app": "web"}}, "disableEviction": true,
                "waitForCompletion": {"matchExpressions": [{"key": "job-name", "operator": "Exists"}]}},
      "migration": {"wait": false, "timeoutSeconds": 2, "onTimeout": "Fail"},
      "volumes": {"waitForDetach": false, "timeoutSeconds": 3, "onTimeout": "Fail"},
      "unreachable": {"toleranceSeconds": 4, "fenced": true},
      "hostCleanup": {"enabled": true, "steps": ["IPVS", "CNI", "CNI"], "cniInterfaces": [],
                      "extraPaths": ["/opt/cni"], "image": "x:1", "timeoutSeconds": 5,
                      "onFailure": "Continue", "dryRun": true, "flushAll": true}})");
  EXPECT_EQ(spec.node_name, "jetson");
  EXPECT_EQ(spec.node_uid, "u1");
  ASSERT_TRUE(spec.node_selector && spec.max_concurrent);
  EXPECT_EQ(spec.node_selector->query(), "pool=edge");
  EXPECT_EQ(spec.max_concurrent, (MaxConcurrent{.value = 10, .percent = true}));
  EXPECT_EQ(spec.ttl_seconds_after_finished, 0);
  EXPECT_TRUE(spec.suspend && spec.dry_run && spec.host_cleanup.enabled &&
              spec.allow_control_plane);
  EXPECT_FALSE(spec.delete_node);
  EXPECT_TRUE(spec.drain.force && spec.drain.delete_empty_dir_data && spec.drain.disable_eviction);
  ASSERT_TRUE(spec.drain.pod_selector && spec.drain.wait_for_completion);
  EXPECT_EQ(spec.drain.pod_selector->query(), "app=web");
  EXPECT_EQ(spec.drain.wait_for_completion->query(), "job-name");
  EXPECT_FALSE(spec.drain.ignore_daemon_sets);
  EXPECT_EQ(spec.drain.grace_period_seconds, 5);
  EXPECT_EQ(spec.drain.timeout_seconds, 1);
  EXPECT_EQ(spec.drain.on_timeout, DrainTimeoutAction::Delete);
  EXPECT_FALSE(spec.migration.wait);
  EXPECT_EQ(spec.migration.timeout_seconds, 2);
  EXPECT_EQ(spec.migration.on_timeout, TimeoutAction::Fail);
  EXPECT_FALSE(spec.volumes.wait_for_detach);
  EXPECT_EQ(spec.volumes.timeout_seconds, 3);
  EXPECT_EQ(spec.volumes.on_timeout, TimeoutAction::Fail);
  EXPECT_EQ(spec.unreachable.tolerance_seconds, 4);
  EXPECT_TRUE(spec.unreachable.fenced);
  EXPECT_EQ(spec.host_cleanup.plan, (CleanupPlan{.steps = {CleanupStep::Cni, CleanupStep::Ipvs},
                                                 .cni_interfaces = {},
                                                 .extra_paths = {"/opt/cni"},
                                                 .flush_all = true,
                                                 .dry_run = true}));
  EXPECT_EQ(spec.host_cleanup.image, "x:1");
  EXPECT_EQ(spec.host_cleanup.timeout_seconds, 5);
  EXPECT_EQ(spec.host_cleanup.on_failure, TimeoutAction::Continue);
  EXPECT_THAT(spec.decode_errors, IsEmpty());
}

TEST(Spec, TakesNullForAbsent) {
  const auto spec = spec_of(R"({"nodeName": "jetson", "nodeSelector": null, "maxConcurrent": null,
      "suspend": null, "ttlSecondsAfterFinished": null, "deleteNode": null,
      "drain": {"force": null, "gracePeriodSeconds": null, "timeoutSeconds": null,
                "onTimeout": null, "podSelector": null, "waitForCompletion": null},
      "migration": null, "volumes": null, "unreachable": null, "hostCleanup": null})");
  EXPECT_FALSE(spec.node_selector || spec.max_concurrent || spec.ttl_seconds_after_finished ||
               spec.suspend);
  EXPECT_FALSE(spec.drain.pod_selector || spec.drain.wait_for_completion);
  EXPECT_TRUE(spec.delete_node && spec.migration.wait && spec.volumes.wait_for_detach);
  EXPECT_EQ(spec.drain.grace_period_seconds, std::nullopt);
  EXPECT_EQ(spec.drain.timeout_seconds, 3600);
  EXPECT_THAT(spec.decode_errors, IsEmpty());
}

TEST(MaxConcurrent, IsANumberOrAShareAndAtLeastOne) {
  EXPECT_EQ((MaxConcurrent{.value = 3, .percent = false}.of(100)), 3);
  EXPECT_EQ((MaxConcurrent{.value = 25, .percent = true}.of(10)), 2);
  EXPECT_EQ((MaxConcurrent{.value = 1, .percent = true}.of(10)), 1);
  EXPECT_EQ((MaxConcurrent{.value = 100, .percent = true}.of(7)), 7);
}

TEST(ExpiresAt, CountsFromTheEndAndNotForWhatGitOpsWouldCreateAgain) {
  const TimePoint end{std::chrono::seconds{1000}};
  NodeRemoval removal;
  removal.spec.ttl_seconds_after_finished = 60;
  EXPECT_FALSE(removal.expires_at()) << "it is not finished";
  removal.status.conditions.set(condition::kSucceeded, ConditionStatus::True, "NodeRemoved", "",
                                end, 1);
  removal.status.completion_time = end;
  EXPECT_EQ(removal.expires_at(), end + std::chrono::seconds{60});
  const std::pair<bool, std::string> marks[] = {{true, "argocd.argoproj.io/tracking-id"},
                                                {false, "argocd.argoproj.io/instance"},
                                                {false, "kustomize.toolkit.fluxcd.io/name"},
                                                {false, "helm.toolkit.fluxcd.io/name"},
                                                {false, "app.kubernetes.io/managed-by"}};
  for (const auto& [annotation, mark] : marks) {
    auto managed = removal;
    (annotation ? managed.meta.annotations : managed.meta.labels)[mark] = "Helm";
    EXPECT_FALSE(managed.expires_at()) << mark;
    managed.spec.node_uid = "node-1";
    EXPECT_TRUE(managed.expires_at()) << mark << ", pinned";
  }
  removal.meta.labels["app.kubernetes.io/managed-by"] = "me";
  EXPECT_TRUE(removal.expires_at());
  removal.spec.ttl_seconds_after_finished.reset();
  EXPECT_FALSE(removal.expires_at());
}

TEST(Spec, NotesWrongTypesAndUnknownWordsWithTheirPath) {
  const struct {
    std::string_view spec;
    std::string error;
  } kCases[] = {
      {R"({"nodeName": 5})", "spec.nodeName must be a string"},
      {R"({"maxConcurrent": 0})",
       "spec.maxConcurrent must be a number from 1 to 500 or a percentage from 1% to 100%"},
      {R"({"maxConcurrent": "2"})",
       "spec.maxConcurrent must be a number from 1 to 500 or a percentage from 1% to 100%"},
      {R"({"maxConcurrent": "101%"})",
       "spec.maxConcurrent must be a number from 1 to 500 or a percentage from 1% to 100%"},
      {R"({"drain": {"podSelector": "app=web"}})",
       "spec.drain.podSelector must be a label selector that asks for something"},
      {R"({"drain": {"podSelector": {}}})",
       "spec.drain.podSelector must be a label selector that asks for something"},
      {R"({"drain": {"waitForCompletion": {"matchExpressions": [{"key": "a", "operator": "Is"}]}}})",
       "spec.drain.waitForCompletion must be a label selector that asks for something"},
      {R"({"nodeUID": {}})", "spec.nodeUID must be a string"},
      {R"({"suspend": "true"})", "spec.suspend must be true or false"},
      {R"({"dryRun": 1})", "spec.dryRun must be true or false"},
      {R"({"deleteNode": "false"})", "spec.deleteNode must be true or false"},
      {R"({"allowControlPlane": []})", "spec.allowControlPlane must be true or false"},
      {R"({"drain": "fast"})", "spec.drain must be an object"},
      {R"({"drain": {"force": "yes"}})", "spec.drain.force must be true or false"},
      {R"({"drain": {"deleteEmptyDirData": 0}})",
       "spec.drain.deleteEmptyDirData must be true or false"},
      {R"({"drain": {"ignoreDaemonSets": "no"}})",
       "spec.drain.ignoreDaemonSets must be true or false"},
      {R"({"drain": {"gracePeriodSeconds": "30s"}})",
       "spec.drain.gracePeriodSeconds must be a whole number"},
      {R"({"drain": {"timeoutSeconds": 1.5}})", "spec.drain.timeoutSeconds must be a whole number"},
      {R"({"drain": {"timeoutSeconds": 18446744073709551615}})",
       "spec.drain.timeoutSeconds must be a whole number"},
      {R"({"drain": {"onTimeout": "Panic"}})", "spec.drain.onTimeout must be Fail or Delete"},
      {R"({"drain": {"onTimeout": "fail"}})", "spec.drain.onTimeout must be Fail or Delete"},
      {R"({"drain": {"onTimeout": true}})", "spec.drain.onTimeout must be a string"},
      {R"({"drain": {"disableEviction": "x"}})",
       "spec.drain.disableEviction must be true or false"},
      {R"({"migration": []})", "spec.migration must be an object"},
      {R"({"migration": {"wait": "x"}})", "spec.migration.wait must be true or false"},
      {R"({"migration": {"timeoutSeconds": "x"}})",
       "spec.migration.timeoutSeconds must be a whole number"},
      {R"({"migration": {"onTimeout": "Delete"}})",
       "spec.migration.onTimeout must be Continue or Fail"},
      {R"({"volumes": 1})", "spec.volumes must be an object"},
      {R"({"volumes": {"waitForDetach": "x"}})",
       "spec.volumes.waitForDetach must be true or false"},
      {R"({"volumes": {"timeoutSeconds": true}})",
       "spec.volumes.timeoutSeconds must be a whole number"},
      {R"({"volumes": {"onTimeout": "x"}})", "spec.volumes.onTimeout must be Continue or Fail"},
      {R"({"unreachable": true})", "spec.unreachable must be an object"},
      {R"({"unreachable": {"toleranceSeconds": "5m"}})",
       "spec.unreachable.toleranceSeconds must be a whole number"},
      {R"({"unreachable": {"fenced": "true"}})", "spec.unreachable.fenced must be true or false"},
      {R"({"hostCleanup": true})", "spec.hostCleanup must be an object"},
      {R"({"hostCleanup": {"enabled": "x"}})", "spec.hostCleanup.enabled must be true or false"},
      {R"({"hostCleanup": {"steps": ["Reboot"]}})",
       "spec.hostCleanup.steps must be any of KubeadmReset, CNI, Iptables and IPVS"},
      {R"({"hostCleanup": {"steps": "CNI"}})", "spec.hostCleanup.steps must be a list of strings"},
      {R"({"hostCleanup": {"cniInterfaces": [1]}})",
       "spec.hostCleanup.cniInterfaces must be a list of strings"},
  };
  for (const auto& [spec, error] : kCases) {
    EXPECT_THAT(spec_of(spec).decode_errors, ElementsAre(error)) << spec;
  }
}

TEST(Spec, NotesEmptyWordsToo) {
  EXPECT_THAT(spec_of(R"({"drain": {"onTimeout": ""}})").decode_errors,
              ElementsAre("spec.drain.onTimeout must be Fail or Delete"));
}

TEST(Spec, NotesEveryProblem) {
  EXPECT_THAT(
      spec_of(R"({"suspend": 1, "drain": {"force": 2}})").decode_errors,
      ElementsAre("spec.suspend must be true or false", "spec.drain.force must be true or false"));
}

TEST(Spec, OfAnotherTypeNamesNoNode) {
  for (const std::string_view text : {R"({})", R"({"spec": null})", R"({"spec": "jetson"})"}) {
    EXPECT_EQ(node_removal_from_json(object(text)).spec.node_name, "") << text;
  }
}

TEST(NodeRemoval, KnowsItsFinalizerAndWhetherItIsBeingDeleted) {
  NodeRemoval removal;
  removal.meta.finalizers = {"other/finalizer"};
  EXPECT_FALSE(removal.has_finalizer());
  EXPECT_FALSE(removal.is_being_deleted());
  removal.meta.finalizers.emplace_back(kFinalizer);
  removal.meta.deletion_timestamp = kThen;
  EXPECT_TRUE(removal.has_finalizer());
  EXPECT_TRUE(removal.is_being_deleted());
}

// --- status

/// A status with something in every member.
NodeRemovalStatus full_status() {
  NodeRemovalStatus status;
  status.observed_generation = 2;
  status.node_uid = "n1";
  status.start_time = kThen;
  status.completion_time = kThen + 60s;
  status.conditions.set("Succeeded", ConditionStatus::True, "NodeRemoved", "done", kThen, 2);
  status.conditions.set("Drained", ConditionStatus::False, "NodeNotReady", "dead", kThen + 1s, 2);
  status.pods = PodCounts{
      .total = 6, .evicted = 1, .terminating = 2, .blocked = 3, .remaining = 5, .skipped = 4};
  status.blockers = {{"shop/db-0", "p1", "PodDisruptionBudget", "needs 3", "db", kThen},
                     {"shop/web-1", "p2", "UnmanagedPod", "naked", "", kThen + 2s}};
  status.blockers_omitted = 7;
  status.workloads = {{"ReplicaSet", "shop", "web", "rs", 3, 2}};
  status.workloads_omitted = 8;
  status.evidence = Evidence{.ready = ConditionStatus::Unknown,
                             .not_ready_since = kThen,
                             .observed_since = kThen + 5s,
                             .reason = "NodeStatusUnknown",
                             .message = "Kubelet stopped posting node status.",
                             .fenced = true,
                             .fenced_by = "spec.unreachable.fenced"};
  return status;
}

NodeRemovalStatus read_back(const boost::json::object& status) {
  return node_removal_from_json({{"status", status}}).status;
}

TEST(Status, SurvivesARoundTripThroughJson) {
  const auto status = full_status();
  EXPECT_EQ(read_back(to_json(status)), status);
}

TEST(Status, SurvivesARoundTripWhenItIsEmpty) {
  EXPECT_EQ(read_back(to_json(NodeRemovalStatus{})), NodeRemovalStatus{});
}

TEST(Status, RoundTripsEveryReadyWordOfItsEvidence) {
  for (const auto ready :
       {ConditionStatus::True, ConditionStatus::False, ConditionStatus::Unknown}) {
    auto status = full_status();
    status.evidence->ready = ready;
    EXPECT_EQ(read_back(to_json(status)), status);
  }
}

TEST(Status, IsNothingInParticularWhenMembersAreNullOrMistyped) {
  for (
      const std::string_view text :
      {R"({"status": null})", R"({"status": []})",
       R"({"status": {"observedGeneration": null, "conditions": null, "pods": null, "blockers": null,
            "workloads": null, "evidence": null, "startTime": null}})",
       R"({"status": {"observedGeneration": "3", "nodeUID": 1, "startTime": "now", "conditions": {},
            "pods": [], "blockers": {}, "blockersOmitted": "x", "workloads": [null, 1], "evidence": 5}})"}) {
    EXPECT_EQ(node_removal_from_json(object(text)).status, NodeRemovalStatus{}) << text;
  }
}

TEST(Status, SaysHowManyPodsAreGoneOfHowMany) {
  const auto json = to_json(full_status());
  EXPECT_EQ(json.at("pods").at("summary"), "1/6");
}

TEST(Status, HasNoEmptyStringsBecauseSomeServersRefuseThem) {
  auto status = full_status();
  status.node_uid.clear();
  status.blockers.front().pdb.clear();
  status.evidence->reason.clear();
  status.evidence->message.clear();
  status.evidence->fenced_by.clear();
  EXPECT_THAT(boost::json::serialize(to_json(status)), testing::Not(testing::HasSubstr(R"("")")));
  EXPECT_EQ(read_back(to_json(status)), status);
}

TEST(Status, IsTerminalWhenItsSummaryIsTrueOrFalse) {
  NodeRemovalStatus status;
  EXPECT_FALSE(status.is_terminal());
  status.conditions.set(condition::kSucceeded, ConditionStatus::Unknown, "Draining", "", kThen, 1);
  EXPECT_FALSE(status.is_terminal());
  status.conditions.set(condition::kSucceeded, ConditionStatus::True, "NodeRemoved", "", kThen, 1);
  EXPECT_TRUE(status.is_terminal());
  status.conditions.set(condition::kSucceeded, ConditionStatus::False, "Refused", "", kThen, 1);
  EXPECT_TRUE(status.is_terminal());
}

std::string blocker_message_of(const std::string& message) {
  NodeRemovalStatus status;
  status.blockers = {{"a/b", "p", "R", message, "", kThen}};
  return read_back(to_json(status)).blockers.front().message;
}

TEST(Status, KeepsMessagesOfAllowedLength) {
  const std::string message(kMaxText, 'x');
  EXPECT_EQ(blocker_message_of(message), message);
}

TEST(Status, ShortensLongMessagesOfOthers) {
  EXPECT_EQ(blocker_message_of(std::string(kMaxText + 1, 'x')),
            std::string(kMaxText - 3, 'x') + "...");
}

TEST(Status, ShortensMessagesOnlyBetweenCharacters) {
  // Each of these characters has three bytes; the cut falls on every place within one.
  for (std::size_t shift = 0; shift < 3; ++shift) {
    std::string message(shift, 'x');
    while (message.size() <= kMaxText) message += "\u20AC";
    const auto shortened = blocker_message_of(message);
    const auto euros = (kMaxText - 3 - shift) / 3;
    EXPECT_EQ(shortened.size(), shift + 3 * euros + 3) << shift;
    EXPECT_EQ(message.substr(0, shortened.size() - 3) + "...", shortened) << shift;
  }
}

TEST(Status, ShortensTheMessageOfItsEvidence) {
  auto status = full_status();
  status.evidence->message = std::string(5000, 'x');
  EXPECT_EQ(read_back(to_json(status)).evidence->message.size(), kMaxText);
}

// --- merge patches

/// RFC 7386, written down independently of the code that makes patches.
void apply_patch(boost::json::object& target, const boost::json::object& patch) {
  for (const auto& [key, value] : patch) {
    if (value.is_null()) {
      target.erase(key);
    } else if (value.is_object()) {
      auto& member = target[key];
      if (!member.is_object()) member.emplace_object();
      apply_patch(member.get_object(), value.get_object());
    } else {
      target[key] = value;
    }
  }
}

TEST(StatusMergePatch, IsEmptyWhenNothingDiffers) {
  EXPECT_EQ(status_merge_patch({}, {}), boost::json::object{});
  EXPECT_EQ(status_merge_patch(full_status(), full_status()), boost::json::object{});
}

TEST(StatusMergePatch, IsEmptyWhenOnlyFractionsOfASecondDiffer) {
  auto after = full_status();
  *after.start_time += 999ms;
  EXPECT_EQ(status_merge_patch(full_status(), after), boost::json::object{});
}

TEST(StatusMergePatch, HasOnlyWhatDiffers) {
  auto after = full_status();
  after.pods->evicted = 2;
  after.evidence->fenced = false;
  after.evidence->fenced_by.clear();
  EXPECT_EQ(status_merge_patch(full_status(), after), object(R"({
      "pods": {"evicted": 2, "summary": "2/6"}, "evidence": {"fenced": false, "fencedBy": null}})"));
}

TEST(StatusMergePatch, SetsMembersThatWentAwayToNull) {
  auto after = full_status();
  after.blockers.clear();
  after.blockers_omitted = 0;
  after.evidence.reset();
  EXPECT_EQ(status_merge_patch(full_status(), after),
            object(R"({"blockers": null, "blockersOmitted": null, "evidence": null})"));
}

TEST(StatusMergePatch, ReplacesListsAsAWhole) {
  auto after = full_status();
  after.workloads.front().ready = 3;
  const auto patch = status_merge_patch(full_status(), after);
  EXPECT_EQ(patch.size(), 1U);
  EXPECT_EQ(patch.at("workloads").as_array().size(), 1U);
  EXPECT_EQ(patch.at("workloads").at(0).at("ready"), 3);
}

TEST(StatusMergePatch, KeepsNewNestedMembersObjects) {
  NodeRemovalStatus before;
  const auto patch = status_merge_patch(before, full_status());
  EXPECT_TRUE(patch.at("pods").is_object());
  EXPECT_TRUE(patch.at("evidence").is_object());
}

TEST(StatusMergePatch, TurnsTheOneIntoTheOther) {
  auto changed = full_status();
  changed.pods->remaining = 0;
  changed.blockers.pop_back();
  changed.conditions.remove("Drained");
  changed.evidence->message = "other";
  changed.completion_time.reset();
  const std::vector<NodeRemovalStatus> statuses{{}, full_status(), changed};
  for (const auto& before : statuses) {
    for (const auto& after : statuses) {
      auto json = to_json(before);
      apply_patch(json, status_merge_patch(before, after));
      EXPECT_EQ(read_back(json), after) << testing::PrintToString(before);
    }
  }
}

TEST(NodeRemoval, IsAGroupAsLongAsItLivesWhenItWasOneAtFirst) {
  NodeRemoval removal;
  removal.spec.node_name = "jetson";
  EXPECT_FALSE(removal.is_group());
  removal.spec.node_name.clear();
  removal.spec.node_selector.emplace();
  EXPECT_TRUE(removal.is_group());
  removal.status.nodes.resize(1);
  removal.spec.node_selector.reset();
  EXPECT_TRUE(removal.is_group()) << "somebody changed its spec";
  NodeRemoval single;
  single.status.node_name = "jetson";
  single.spec.node_selector.emplace();
  EXPECT_FALSE(single.is_group()) << "somebody changed its spec";
}

}  // namespace
}  // namespace crd
