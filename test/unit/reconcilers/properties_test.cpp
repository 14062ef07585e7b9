#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <initializer_list>
#include <random>

#include "reconcilers/classify.hpp"
#include "reconcilers/guards.hpp"
#include "reconcilers/taints.hpp"
#include "test/fake/crd_schema.hpp"
#include "test/unit/reconcilers/builders.hpp"

/// What holds for decide() whatever it is shown. Observations are random, most of them such as no
/// cluster would produce; the seed of a failure is in its message.
namespace reconcilers {
namespace {

using crd::ConditionStatus;
using testing::IsEmpty;

constexpr std::uint32_t kSeeds = 60000;

/// Throws dice for observations.
class Dice {
 public:
  explicit Dice(std::uint32_t seed) : random_(seed) {}

  int below(int limit) { return std::uniform_int_distribution<int>{0, limit - 1}(random_); }
  bool chance(int percent) { return below(100) < percent; }

  template <typename T>
  T pick(std::initializer_list<T> values) {
    return *(values.begin() + below(static_cast<int>(values.size())));
  }

  crd::TimePoint time() {
    return kNow +
           pick<std::chrono::seconds>({-10h, -3600s, -600s, -300s, -61s, -3s, -1s, 0s, 30s, 1h});
  }
  ConditionStatus status() {
    return pick({ConditionStatus::True, ConditionStatus::False, ConditionStatus::Unknown});
  }

  Observation observation() {
    Observation seen;
    seen.removal = removal();
    throw_for(seen.node, [&] { return node(); });
    seen.node_is_fresh = chance(70);
    throw_for(seen.pods, [&] { return pods(); });
    throw_for(seen.census, [&] { return census(); });
    throw_for(seen.workloads, [&] { return progress(); });
    throw_for(seen.attachments, [&] {
      return chance(70) ? std::vector<std::string>{} : std::vector<std::string>{"pv-1 (csi-1)"};
    });
    throw_for(seen.leftovers, [&] { return leftovers(); });
    throw_for(seen.claims, [&] { return std::map<std::string, bool>{{"shop/data", chance(50)}}; });
    throw_for(seen.trials, [&] { return std::map<std::string, Refusal>{}; });
    throw_for(seen.removed_nodes, [&] {
      std::map<std::string, RemovedNode> removed;
      if (chance(50)) removed["jetson"].uid = pick({"node-1", "node-8"});
      return removed;
    });
    throw_for(seen.server_minor, [&] { return pick({20, 26, 36}); });
    if (chance(30)) seen.others.push_back(other());
    for (const auto uid : {"pod-a", "pod-b", "pod-c"}) remember(seen, uid);
    if (chance(10)) seen.action_error = "connection refused";
    if (chance(10)) seen.gate_refusal = "the cordon is too fresh";
    return seen;
  }

 private:
  template <typename T, typename Value>
  void throw_for(Fact<T>& fact, Value value) {
    if (chance(15)) return;
    if (chance(10)) {
      fact = std::unexpected(std::string{"no answer"});
    } else {
      fact = value();
    }
  }

  void set(crd::NodeRemoval& removal, std::string_view type, int percent, ConditionStatus status) {
    if (!chance(percent)) return;
    removal.status.conditions.set(type, status, "Thrown", "by dice", time(),
                                  removal.meta.generation);
  }

  static crd::LabelSelector labelled(const std::string& app) {
    crd::LabelSelector selector;
    selector.match_labels["app"] = app;
    return selector;
  }

  crd::NodeRemovalSpec spec() {
    crd::NodeRemovalSpec spec;
    spec.node_name = chance(97) ? "jetson" : "";
    spec.node_uid = pick({"", "", "", "node-1", "node-9"});
    spec.suspend = chance(8);
    spec.dry_run = chance(2);
    spec.delete_node = chance(85);
    spec.allow_control_plane = chance(30);
    spec.drain.force = chance(50);
    spec.drain.delete_empty_dir_data = chance(50);
    spec.drain.ignore_daemon_sets = chance(80);
    if (chance(20)) spec.drain.grace_period_seconds = 7;
    spec.drain.timeout_seconds = pick<std::int64_t>({0, 60, 3600});
    if (chance(30)) spec.drain.on_timeout = crd::DrainTimeoutAction::Delete;
    spec.drain.disable_eviction = chance(10);
    if (chance(10)) spec.drain.pod_selector = labelled("a");
    if (chance(10)) spec.drain.wait_for_completion = labelled("b");
    spec.migration = {.wait = chance(80),
                      .timeout_seconds = pick<std::int64_t>({0, 60, 600}),
                      .on_timeout = pick({crd::TimeoutAction::Continue, crd::TimeoutAction::Fail})};
    spec.volumes = {.wait_for_detach = chance(80),
                    .timeout_seconds = pick<std::int64_t>({0, 60, 300}),
                    .on_timeout = pick({crd::TimeoutAction::Continue, crd::TimeoutAction::Fail})};
    spec.unreachable = {.tolerance_seconds = pick<std::int64_t>({0, 60, 300}),
                        .fenced = chance(30)};
    return spec;
  }

  crd::NodeRemoval removal() {
    auto removal = make_removal();
    removal.spec = spec();
    removal.meta.generation = 1 + below(2);
    if (chance(80)) removal.meta.finalizers.emplace_back(crd::kFinalizer);
    if (chance(10)) removal.meta.deletion_timestamp = time();
    if (chance(80)) removal.status.node_uid = pick({"node-1", "node-1", "node-1", "node-9"});
    if (chance(50)) removal.status.observed_generation = 1;
    set(removal, condition::kAccepted, 80, pick({ConditionStatus::True, ConditionStatus::Unknown}));
    set(removal, condition::kCordoned, 80, chance(80) ? ConditionStatus::True : status());
    for (const auto type :
         {condition::kDrained, condition::kPodsMigrated, condition::kVolumesDetached,
          condition::kTerminatingPodsCleared, condition::kNodeDeleted, condition::kLeftoversGone}) {
      set(removal, type, 40, status());
    }
    set(removal, condition::kSucceeded, 90, chance(90) ? ConditionStatus::Unknown : status());
    if (removal.status.is_terminal()) removal.status.completion_time = kNow - 1s;
    throw_for_status(removal.status);
    return removal;
  }

  void throw_for_status(crd::NodeRemovalStatus& status) {
    if (chance(40))
      status.pods = crd::PodCounts{.total = 5, .evicted = below(4), .remaining = below(4)};
    if (chance(40)) status.workloads = {{"ReplicaSet", "shop", "web", "owner-web", 1, 0}};
    if (chance(40)) {
      status.evidence = crd::Evidence{.ready = ConditionStatus::Unknown,
                                      .not_ready_since = time(),
                                      .observed_since = time(),
                                      .reason = "NodeStatusUnknown",
                                      .message = {},
                                      .fenced = chance(20),
                                      .fenced_by = {}};
    }
  }

  std::optional<crd::Node> node() {
    if (chance(10)) return std::nullopt;
    auto node = make_node();
    node.meta.uid = pick({"node-1", "node-1", "node-1", "node-1", "node-9"});
    if (chance(80)) node.unschedulable = true;
    if (chance(80))
      claim(node, pick({"removal-1", "removal-1", "removal-1", "removal-2"}), chance(20));
    if (chance(3)) node.meta.annotations[std::string{crd::kClaimAnnotation}] = "gibberish";
    if (chance(3)) node.meta.annotations[std::string{crd::kProtectAnnotation}] = "";
    if (chance(5)) node.meta.labels["node-role.kubernetes.io/control-plane"] = "";
    if (chance(3)) node.meta.deletion_timestamp = time();
    if (chance(85)) add_taint(node, crd::kRemovingTaint);
    if (chance(10)) add_taint(node, crd::kOutOfServiceTaint);
    if (chance(50)) stop_kubelet(node, time());
    if (chance(10)) node.ready_transition_time.reset();
    return node;
  }

  crd::Pod pod(const std::string& name) {
    auto pod = chance(70) ? make_pod(name, pick({"ReplicaSet", "StatefulSet", "DaemonSet", "Job"}))
                          : make_naked_pod(name);
    if (chance(5)) pod = make_mirror_pod(name);
    if (chance(40)) pod = terminating(pod, time());
    if (chance(10)) pod.meta.deletion_grace_period_seconds = 0;
    if (chance(15)) pod.meta.finalizers = {"example.com/hold"};
    if (chance(20)) pod.empty_dir = true;
    if (chance(50)) pod.meta.labels["app"] = pick({"a", "b"});
    if (chance(20)) pod.tolerations = {{.key = {}, .any_value = true, .value = {}, .effect = {}}};
    pod.meta.creation_timestamp = time();
    pod.grace_period_seconds = pick<std::int64_t>({0, 1, 30, 7200});
    pod.priority_class = pick({"", "", "", "system-cluster-critical", "system-node-critical"});
    if (chance(20)) pod.claims = {"data"};
    if (chance(10)) pod.phase = pick({"Succeeded", "Failed", "Pending"});
    return pod;
  }

  std::vector<crd::Pod> pods() {
    std::vector<crd::Pod> pods;
    for (const auto name : {"a", "b", "c"}) {
      if (chance(40)) pods.push_back(pod(name));
    }
    return pods;
  }

  std::vector<NodeSummary> census() {
    auto census = make_census();
    for (auto& node : census) {
      node.ready = chance(80);
      node.unschedulable = chance(20);
      node.control_plane = chance(30);
    }
    return census;
  }

  std::map<std::string, WorkloadProgress> progress() {
    if (chance(20)) return {};
    return {{"owner-web", {.exists = chance(90), .desired = 1, .ready = below(2)}}};
  }

  Leftovers leftovers() {
    Leftovers left;
    left.lease = chance(20);
    left.csi_node = chance(20);
    if (chance(20)) left.pods = {"shop/a"};
    return left;
  }

  OtherRemoval other() {
    return {.name = "other",
            .uid = "removal-2",
            .node_name = pick({"jetson", "nano"}),
            .older = chance(50),
            .accepted = chance(50)};
  }

  void remember(Observation& seen, const std::string& uid) {
    if (chance(20)) seen.refusals[uid] = {"PodDisruptionBudget", "needs 3", "web", time()};
    if (chance(10)) seen.accepted[uid] = time();
    if (chance(10)) seen.cleared[uid] = time();
  }

  std::mt19937 random_;
};

/// Many observations and what is decided about each, by seed.
const std::vector<std::pair<Observation, Decision>>& many() {
  static const auto kMany = [] {
    std::vector<std::pair<Observation, Decision>> all;
    all.reserve(kSeeds);
    for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
      auto seen = Dice{seed}.observation();
      auto decision = decide_at(seen);
      all.emplace_back(std::move(seen), std::move(decision));
    }
    return all;
  }();
  return kMany;
}

template <typename Check>
void for_many(Check check) {
  for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
    const auto& [seen, decision] = many()[seed];
    check(seen, decision);
    if (testing::Test::HasFailure()) {
      ADD_FAILURE() << "seed " << seed << ": " << testing::PrintToString(decision);
      return;
    }
  }
}

template <typename T>
std::vector<T> actions_of_type(const Decision& decision) {
  std::vector<T> found;
  for (const auto& action : decision.actions) {
    if (const auto* one = std::get_if<T>(&action)) found.push_back(*one);
  }
  return found;
}

/// The node that may be touched: known, there, and the one the removal is bound to.
const crd::Node* bound_node(const Observation& seen, const Decision& decision) {
  const auto* node = known(seen.node);
  if (node == nullptr || !*node || (*node)->meta.uid != decision.status.node_uid) return nullptr;
  const auto& bound_before = seen.removal.status.node_uid;
  return bound_before.empty() || bound_before == (*node)->meta.uid ? &**node : nullptr;
}

const crd::Pod* known_pod(const Observation& seen, const crd::PodRef& ref) {
  const auto* pods = known(seen.pods);
  if (pods == nullptr) return nullptr;
  const auto found = std::ranges::find(*pods, ref, &crd::Pod::ref);
  return found == pods->end() ? nullptr : &*found;
}

bool is_active(const Observation& seen) {
  return !seen.removal.status.is_terminal() && !seen.removal.is_being_deleted() &&
         !seen.removal.spec.suspend;
}

PodVerdict verdict_of(const Observation& seen, const crd::Pod& pod) {
  return classify(pod, seen.removal.spec.drain, cordoned_at(seen.removal.status));
}

/// Told to leave by a drain without a time limit.
bool may_leave(const Observation& seen, const crd::Pod& pod) {
  return verdict_of(seen, pod).pod_class == PodClass::Leaves;
}

bool has_to_leave(const Observation& seen, const crd::Pod& pod) {
  const auto pod_class = verdict_of(seen, pod).pod_class;
  return pod_class == PodClass::Leaves || pod_class == PodClass::Finishes ||
         pod_class == PodClass::ComesBack;
}

TEST(Decide, IsDeterministic) {
  for_many([](const Observation& seen, const Decision& decision) {
    const auto again = decide_at(seen);
    EXPECT_EQ(again.status, decision.status);
    EXPECT_EQ(again.actions, decision.actions);
    EXPECT_EQ(again.needs, decision.needs);
    EXPECT_EQ(again.requeue, decision.requeue);
  });
}

TEST(Decide, DoesNothingBeforeItKnowsWhatItNeeds) {
  for_many([](const Observation&, const Decision& decision) {
    EXPECT_TRUE(decision.needs.empty() || decision.actions.empty());
  });
}

TEST(Decide, AsksOnlyForFactsThatItWasNotTold) {
  for_many([](const Observation& seen, const Decision& decision) {
    const std::map<FactName, bool> told{{FactName::Node, seen.node.has_value()},
                                        {FactName::FreshNode, seen.node_is_fresh},
                                        {FactName::Pods, seen.pods.has_value()},
                                        {FactName::Census, seen.census.has_value()},
                                        {FactName::Workloads, seen.workloads.has_value()},
                                        {FactName::Attachments, seen.attachments.has_value()},
                                        {FactName::Leftovers, seen.leftovers.has_value()},
                                        {FactName::Claims, seen.claims.has_value()},
                                        {FactName::Trials, seen.trials.has_value()},
                                        {FactName::ServerMinor, seen.server_minor.has_value()},
                                        {FactName::HandOverPod, seen.hand_over_pod.has_value()},
                                        {FactName::RemovedNodes, seen.removed_nodes.has_value()},
                                        {FactName::Matches, seen.matches.has_value()}};
    for (const auto fact : decision.needs) EXPECT_FALSE(told.at(fact)) << name_of(fact);
  });
}

TEST(Decide, HasNothingMoreToWriteOnceItsStatusIsWritten) {
  for_many([](const Observation& seen, const Decision& decision) {
    if (!decision.needs.empty()) return;  // then its status is not written
    auto after = seen;
    const boost::json::object object{{"status", crd::to_json(decision.status)}};
    after.removal.status = crd::node_removal_from_json(object).status;
    const auto again = decide_at(after);
    EXPECT_EQ(crd::status_merge_patch(after.removal.status, again.status), boost::json::object{});
    if (!decision.status.is_terminal()) EXPECT_EQ(again.actions, decision.actions);
  });
}

TEST(Decide, WritesOnlyWhatTheCrdAdmits) {
  for_many([](const Observation& seen, const Decision& decision) {
    EXPECT_THAT(fake::schema_problems("status", crd::to_json(decision.status)), IsEmpty());
    const auto& before = seen.removal.status;
    if (!before.node_uid.empty()) EXPECT_EQ(decision.status.node_uid, before.node_uid);
    if (before.completion_time) EXPECT_EQ(decision.status.completion_time, before.completion_time);
    EXPECT_EQ(decision.status.observed_generation, seen.removal.meta.generation);
  });
}

TEST(Decide, IsFinishedForGoodOnceItIsTerminal) {
  for_many([](const Observation& seen, const Decision& decision) {
    if (!seen.removal.status.is_terminal()) return;
    EXPECT_TRUE(decision.status.is_terminal());
    EXPECT_EQ(summary(decision), word(seen.removal.status, condition::kSucceeded));
    for (const auto& action : decision.actions) {
      EXPECT_TRUE(std::holds_alternative<Release>(action) ||
                  std::holds_alternative<RemoveFinalizer>(action));
    }
  });
}

TEST(Decide, EndsWithACompleteStatusAndNoAction) {
  for_many([](const Observation& seen, const Decision& decision) {
    if (seen.removal.status.is_terminal() || !decision.status.is_terminal()) return;
    const bool failed =
        decision.status.conditions.is(condition::kSucceeded, ConditionStatus::False);
    EXPECT_THAT(actions_of(decision), IsEmpty());
    EXPECT_FALSE(decision.requeue);
    EXPECT_EQ(decision.status.completion_time, kNow);
    EXPECT_TRUE(decision.status.conditions.is(condition::kReconciling, ConditionStatus::False));
    EXPECT_EQ(decision.status.conditions.is_true(condition::kStalled), failed);
  });
}

TEST(Decide, OnlyUndoesWhenItIsCancelled) {
  for_many([](const Observation& seen, const Decision& decision) {
    if (!seen.removal.is_being_deleted()) return;
    EXPECT_EQ(decision.status.is_terminal(), seen.removal.status.is_terminal());
    for (const auto& action : decision.actions) {
      EXPECT_TRUE(std::holds_alternative<Release>(action) ||
                  std::holds_alternative<RemoveFinalizer>(action));
    }
  });
}

TEST(Decide, AlwaysSaysWhatItWaitsForAndLooksAgain) {
  for_many([](const Observation& seen, const Decision& decision) {
    if (!is_active(seen) || decision.status.is_terminal() || !decision.needs.empty()) return;
    const auto* why = decision.status.conditions.find(condition::kSucceeded);
    ASSERT_NE(why, nullptr);
    EXPECT_EQ(why->status, ConditionStatus::Unknown);
    EXPECT_NE(why->reason, "");
    EXPECT_NE(why->message, "");
    EXPECT_TRUE(decision.status.conditions.is_true(condition::kReconciling));
    if (decision.requeue) {
      EXPECT_GE(*decision.requeue, 10ms);
    }
  });
}

TEST(Decide, TouchesNoNodeButTheOneItIsBoundTo) {
  for_many([](const Observation& seen, const Decision& decision) {
    for (const auto& cordon : actions_of_type<Cordon>(decision)) {
      const auto* node = bound_node(seen, decision);
      ASSERT_NE(node, nullptr);
      EXPECT_EQ(cordon.uid, node->meta.uid);
      EXPECT_EQ(cordon.resource_version, node->meta.resource_version);
    }
    for (const auto& release : actions_of_type<Release>(decision)) {
      const auto* node = bound_node(seen, decision);
      ASSERT_NE(node, nullptr);
      EXPECT_EQ(release.uid, node->meta.uid);
      EXPECT_EQ(release.resource_version, node->meta.resource_version);
      const auto claim = read_claim(*node);
      const bool claimed = claim && claim->uid == kRemovalUid;
      const bool unreadable = !claim || claim->uid.empty();
      EXPECT_TRUE(claimed || (unreadable && taints::has_removing(*node)));
      EXPECT_FALSE(release.uncordon && claimed && claim->was_unschedulable);
    }
  });
}

/// What every destructive action presupposes.
void expect_in_charge(const Observation& seen, const Decision& decision) {
  EXPECT_TRUE(is_active(seen));
  EXPECT_TRUE(seen.removal.has_finalizer());
  const auto* node = bound_node(seen, decision);
  ASSERT_NE(node, nullptr);
  ASSERT_TRUE(read_claim(*node));
  EXPECT_EQ(read_claim(*node)->uid, kRemovalUid);
  EXPECT_TRUE(node->unschedulable);
}

TEST(Decide, EvictsOnlyFromAReadyNodeAndOnlyPodsThatMayLeave) {
  int evictions = 0;
  for_many([&](const Observation& seen, const Decision& decision) {
    for (const auto& evict : actions_of_type<Evict>(decision)) {
      ++evictions;
      expect_in_charge(seen, decision);
      EXPECT_TRUE((*known(seen.node))->is_ready());
      const auto* pod = known_pod(seen, evict.pod);
      ASSERT_NE(pod, nullptr);
      const auto& drain = seen.removal.spec.drain;
      const bool deletes = drain.on_timeout == crd::DrainTimeoutAction::Delete;
      EXPECT_TRUE(may_leave(seen, *pod) || (deletes && has_to_leave(seen, *pod)));
      EXPECT_NE(verdict_of(seen, *pod).pod_class, PodClass::ComesBack);
      EXPECT_TRUE(!pod->is_terminating() || deletes);
      EXPECT_TRUE(!evict.past_budgets || drain.disable_eviction || deletes);
      EXPECT_GE(evict.grace_period_seconds.value_or(pod->grace_period_seconds), 1);
      for (const auto& other : *known(seen.pods)) {
        EXPECT_NE(verdict_of(seen, other).pod_class, PodClass::NeedsWord);
      }
    }
  });
  EXPECT_GT(evictions, 50) << "the dice hardly ever show an eviction";
}

/// What deleting or clearing a pod of a dead node presupposes.
void expect_dead_node_work(const Observation& seen, const Decision& decision,
                           const crd::PodRef& ref) {
  expect_in_charge(seen, decision);
  const auto& node = **known(seen.node);
  EXPECT_FALSE(node.is_ready());
  ASSERT_TRUE(decision.status.evidence);
  const auto tolerance = std::chrono::seconds{seen.removal.spec.unreachable.tolerance_seconds};
  EXPECT_GE(kNow, decision.status.evidence->observed_since + tolerance);
  if (node.ready_transition_time) EXPECT_GE(kNow, *node.ready_transition_time + tolerance);
  ASSERT_NE(known(seen.census), nullptr);
  EXPECT_FALSE(brake(*known(seen.census), {}));
  const auto* pod = known_pod(seen, ref);
  ASSERT_NE(pod, nullptr);
  EXPECT_TRUE(has_to_leave(seen, *pod));
  const bool fenced =
      seen.removal.spec.unreachable.fenced || has_taint(node, crd::kOutOfServiceTaint);
  EXPECT_TRUE(fenced || pod->is_finished() || !must_run_at_most_once(*pod, known(seen.claims)));
}

TEST(Decide, DeletesPodsOnlyOfANodeThatIsDead) {
  int deletions = 0;
  for_many([&](const Observation& seen, const Decision& decision) {
    for (const auto& deletion : actions_of_type<DeletePod>(decision)) {
      ++deletions;
      expect_dead_node_work(seen, decision, deletion.pod);
      EXPECT_FALSE(known_pod(seen, deletion.pod)->is_terminating());
    }
  });
  EXPECT_GT(deletions, 50) << "the dice hardly ever show a deletion";
}

TEST(Decide, ClearsOnlyOverduePodsOfANodeThatIsDead) {
  int clears = 0;
  for_many([&](const Observation& seen, const Decision& decision) {
    for (const auto& clear : actions_of_type<ClearPod>(decision)) {
      ++clears;
      expect_dead_node_work(seen, decision, clear.pod);
      const auto* pod = known_pod(seen, clear.pod);
      ASSERT_TRUE(pod->is_terminating());
      EXPECT_GE(kNow, *pod->meta.deletion_timestamp + Policy{}.overdue_margin);
    }
  });
  EXPECT_GT(clears, 20) << "the dice hardly ever show a clear";
}

TEST(Decide, DeletesANodeOnlyWhenNothingOnItHasToLeave) {
  int deletions = 0;
  for_many([&](const Observation& seen, const Decision& decision) {
    if (actions_of_type<DeleteNode>(decision).empty()) return;
    ++deletions;
    expect_in_charge(seen, decision);
    EXPECT_TRUE(seen.removal.spec.delete_node);
    ASSERT_NE(known(seen.pods), nullptr);
    for (const auto& pod : *known(seen.pods)) {
      EXPECT_EQ(verdict_of(seen, pod).pod_class, PodClass::Stays);
    }
    ASSERT_NE(known(seen.census), nullptr);
    EXPECT_FALSE(brake(*known(seen.census), {}));
    EXPECT_FALSE((*known(seen.node))->meta.deletion_timestamp);
    EXPECT_GE(kNow,
              decision.status.conditions.find(condition::kCordoned)->last_transition_time + 3s);
    EXPECT_EQ(word(decision, condition::kNodeDeleted).substr(0, 8), "Unknown/")
        << "the intent is written first";
  });
  EXPECT_GT(deletions, 50) << "the dice hardly ever show a delete";
}

TEST(Decide, SendsOneRequestPerPodAtMost) {
  for_many([](const Observation&, const Decision& decision) {
    auto texts = actions_of(decision);
    std::ranges::sort(texts);
    EXPECT_EQ(std::ranges::adjacent_find(texts), texts.end());
  });
}

TEST(Decide, KeepsItsMessagesShort) {
  for_many([](const Observation&, const Decision& decision) {
    for (const auto& one : decision.status.conditions.all()) EXPECT_LT(one.message.size(), 2000U);
  });
}

}  // namespace
}  // namespace reconcilers
