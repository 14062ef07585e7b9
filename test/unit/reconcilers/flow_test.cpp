#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "reconcilers/guards.hpp"
#include "test/unit/reconcilers/builders.hpp"
#include "test/unit/reconcilers/world.hpp"

/// Whole removals in the small cluster of world.hpp, from the first look to the end. The world
/// checks after every decision that it is idempotent, that its status fits the CRD, and that no
/// action is one that may never happen.
namespace reconcilers {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

crd::Pod with_empty_dir(crd::Pod pod) {
  pod.empty_dir = true;
  return pod;
}

class Flow : public testing::Test {
 protected:
  World world_;

  /// Pods of a Deployment, a StatefulSet and a DaemonSet.
  void add_usual_pods() {
    world_.add_pod(make_pod("web-1"));
    world_.add_pod(make_pod("web-2"));
    world_.add_pod(make_pod("db-0", "StatefulSet", "db"));
    world_.add_pod(make_pod("proxy-1", "DaemonSet", "proxy"));
  }

  /// Runs until the node counts as dead.
  void wait_for_death() {
    world_.kill_kubelet();
    world_.run();
    EXPECT_EQ(world_.summary(), "Unknown/NodeNotReady");
    world_.pass(300s);
    world_.run();
  }

  std::vector<std::string> destructive_actions() const {
    std::vector<std::string> found;
    for (const auto& text : world_.log) {
      for (const auto verb : {"Evict", "DeletePod", "ClearPod", "DeleteNode"}) {
        if (text.starts_with(verb)) found.push_back(text);
      }
    }
    return found;
  }
};

// --- a Ready node

TEST_F(Flow, RemovesAReadyNode) {
  add_usual_pods();
  world_.attachments = {"pv-1 (csi-1)"};
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
  EXPECT_THAT(world_.log,
              ElementsAre("AddFinalizer", "Cordon jetson (node-1)", "Evict shop/db-0 (pod-db-0)",
                          "Evict shop/web-1 (pod-web-1)", "Evict shop/web-2 (pod-web-2)",
                          "RecordRemoval jetson (node-1)", "DeleteNode", "RemoveFinalizer"));
  for (const auto& [type, word] : {std::pair{condition::kAccepted, "True/Accepted"},
                                   std::pair{condition::kCordoned, "True/Cordoned"},
                                   std::pair{condition::kDrained, "True/Drained"},
                                   std::pair{condition::kPodsMigrated, "True/Migrated"},
                                   std::pair{condition::kVolumesDetached, "True/Detached"},
                                   std::pair{condition::kNodeDeleted, "True/Deleted"},
                                   std::pair{condition::kLeftoversGone, "True/Gone"}}) {
    EXPECT_EQ(world_.word(type), word) << type;
  }
  EXPECT_EQ(world_.status().pods,
            (crd::PodCounts{.total = 3, .evicted = 3, .remaining = 0, .skipped = 1}));
  EXPECT_THAT(world_.status().workloads,
              ElementsAre(crd::WorkloadStatus{"StatefulSet", "shop", "db", "owner-db", 1, 1},
                          crd::WorkloadStatus{"ReplicaSet", "shop", "web", "owner-web", 2, 2}));
}

TEST_F(Flow, RemovesAnEmptyNode) {
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
  EXPECT_THAT(world_.log,
              ElementsAre("AddFinalizer", "Cordon jetson (node-1)", "RecordRemoval jetson (node-1)",
                          "DeleteNode", "RemoveFinalizer"));
}

TEST_F(Flow, StopsAfterTheDrainWhenTheNodeIsToStay) {
  add_usual_pods();
  world_.edit([](auto& spec) { spec.delete_node = false; });
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/Drained");
  EXPECT_THAT(world_.log, Not(Contains("DeleteNode")));
  ASSERT_TRUE(world_.node);
  EXPECT_TRUE(world_.node->unschedulable) << "for maintenance";
  EXPECT_FALSE(read_claim(*world_.node));
  EXPECT_FALSE(has_taint(*world_.node, crd::kRemovingTaint));
  EXPECT_FALSE(world_.removal->has_finalizer());
}

TEST_F(Flow, WaitsForConsentAndDisturbsNothingUntilThen) {
  add_usual_pods();
  world_.add_pod(make_naked_pod("debug"));
  world_.add_pod(with_empty_dir(make_pod("cache-1", "ReplicaSet", "cache")));
  world_.run();
  EXPECT_EQ(world_.summary(), "Unknown/DrainBlocked");
  EXPECT_THAT(destructive_actions(), IsEmpty());
  EXPECT_EQ(world_.status().blockers.size(), 2U);
  std::erase_if(world_.pods, [](const auto& pod) { return pod.meta.name == "debug"; });
  world_.run();
  EXPECT_THAT(destructive_actions(), IsEmpty());
  std::erase_if(world_.pods, [](const auto& pod) { return pod.meta.name == "cache-1"; });
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
}

TEST_F(Flow, AsksABudgetAgainOnlyAfterAPause) {
  world_.add_pod(make_pod("web-1"));
  world_.protected_pods = {"pod-web-1"};
  world_.run();
  EXPECT_EQ(world_.summary(), "Unknown/DrainBlocked");
  const auto evictions = world_.log.size();
  world_.pass(1900ms);
  world_.run();
  EXPECT_EQ(world_.log.size(), evictions) << "too early";
  world_.pass(100ms);
  world_.protected_pods.clear();
  world_.run();
  EXPECT_EQ(world_.log.size(), evictions + 1);
  EXPECT_THAT(world_.status().blockers, IsEmpty());
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
}

TEST_F(Flow, GivesTheNodeBackWhenTheDrainTimesOut) {
  world_.add_pod(make_pod("web-1"));
  world_.protected_pods = {"pod-web-1"};
  world_.run();
  world_.pass(3600s);
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "False/DrainTimedOut");
  EXPECT_EQ(world_.word(condition::kStalled), "True/DrainTimedOut");
  EXPECT_EQ(world_.status().completion_time, world_.now);
  EXPECT_FALSE(world_.node->unschedulable);
  EXPECT_FALSE(has_taint(*world_.node, crd::kRemovingTaint));
  EXPECT_FALSE(read_claim(*world_.node));
  EXPECT_FALSE(world_.removal->has_finalizer());
  EXPECT_EQ(world_.status().blockers.size(), 1U) << "the reason stays";
}

TEST_F(Flow, GoesOnOrFailsWhenMigrationTimesOut) {
  for (const auto action : {crd::TimeoutAction::Continue, crd::TimeoutAction::Fail}) {
    World world;
    world.add_pod(make_pod("web-1"));
    world.edit([&](auto& spec) { spec.migration.on_timeout = action; });
    world.run();
    world.pods.clear();  // its replacement never comes up
    world.run();
    EXPECT_EQ(world.summary(), "Unknown/WaitingForMigration");
    world.pass(600s);
    world.run();
    const bool continues = action == crd::TimeoutAction::Continue;
    EXPECT_EQ(world.word(condition::kPodsMigrated), "False/TimedOut");
    EXPECT_EQ(world.node.has_value(), !continues);
    EXPECT_EQ(world.status().is_terminal(), !continues);
    if (!continues) {
      EXPECT_EQ(world.summary(), "False/MigrationTimedOut");
      EXPECT_FALSE(world.node->unschedulable) << "given back";
    }
  }
}

TEST_F(Flow, GoesOnWhenVolumesOrLeftoversStay) {
  world_.attachments = {"pv-1 (csi-1)"};
  world_.run();
  EXPECT_EQ(world_.summary(), "Unknown/WaitingForVolumes");
  world_.pass(300s);
  world_.run();
  EXPECT_EQ(world_.word(condition::kVolumesDetached), "False/TimedOut");
  EXPECT_EQ(world_.summary(), "Unknown/CheckingLeftovers");
  world_.pass(300s);
  world_.run();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
  EXPECT_EQ(world_.word(condition::kLeftoversGone), "False/Remaining");
}

TEST_F(Flow, DrainsAgainWhenAPodWasBoundAfterTheCordon) {
  world_.run();
  EXPECT_EQ(world_.summary(), "Unknown/Settling");
  world_.add_pod(make_pod("late-1", "ReplicaSet", "late"));
  world_.run();
  EXPECT_THAT(world_.log.back(), "Evict shop/late-1 (pod-late-1)");
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
}

TEST_F(Flow, SuspendsAndResumes) {
  world_.add_pod(make_pod("web-1"));
  world_.protected_pods = {"pod-web-1"};
  world_.run();
  world_.edit([](auto& spec) { spec.suspend = true; });
  world_.run();
  EXPECT_EQ(world_.summary(), "Unknown/Suspended");
  world_.protected_pods.clear();
  world_.pass(10h);
  const auto before = world_.log;
  world_.run();
  EXPECT_EQ(world_.log, before);
  world_.edit([](auto& spec) { spec.suspend = false; });
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved") << "the time of the suspension does not count";
}

// --- a dead node

TEST_F(Flow, RemovesADeadNodeOnceItsPodsRunElsewhere) {
  world_.add_pod(make_pod("web-1"));
  world_.add_pod(make_pod("proxy-1", "DaemonSet", "proxy"));
  world_.kill_kubelet();
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
  EXPECT_THAT(world_.log,
              ElementsAre("AddFinalizer", "Cordon jetson (node-1)",
                          "DeletePod shop/web-1 (pod-web-1)", "ClearPod shop/web-1 (pod-web-1)",
                          "RecordRemoval jetson (node-1)", "DeleteNode", "RemoveFinalizer"));
  EXPECT_EQ(world_.word(condition::kDrained), "False/NodeNotReady");
  EXPECT_EQ(world_.word(condition::kTerminatingPodsCleared), "True/Cleared");
  ASSERT_TRUE(world_.status().evidence);
  EXPECT_EQ(world_.status().evidence->not_ready_since, kNow);
}

TEST_F(Flow, WaitsForFencingOfADeadNodeWithAStatefulSet) {
  add_usual_pods();
  wait_for_death();
  world_.let_others_work();
  world_.pass(24h);
  world_.run();
  EXPECT_EQ(world_.summary(), "Unknown/NeedsFencing");
  EXPECT_THAT(world_.log, Not(Contains(HasSubstr("db-0"))));
  EXPECT_THAT(world_.log, Not(Contains("DeleteNode")));
  world_.edit([](auto& spec) { spec.unreachable.fenced = true; });
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
  EXPECT_THAT(world_.log, Contains("ClearPod shop/db-0 (pod-db-0)"));
  EXPECT_EQ(world_.status().evidence->fenced_by, "spec.unreachable.fenced");
}

TEST_F(Flow, GivesStatefulSetsTheWholeTimeOnceTheirPodsAreCleared) {
  // Their replacements cannot start before; the wait for the others must not use up their time.
  world_.add_pod(make_pod("web-1"));
  world_.add_pod(make_pod("db-0", "StatefulSet", "db"));
  world_.edit([](auto& spec) {
    spec.unreachable.fenced = true;
    spec.migration.on_timeout = crd::TimeoutAction::Fail;
  });
  wait_for_death();
  world_.pass(500s);
  world_.run();
  EXPECT_EQ(world_.summary(), "Unknown/WaitingForMigration");
  world_.workloads["owner-web"].ready = 1;
  world_.run();
  ASSERT_THAT(world_.log, Contains("ClearPod shop/db-0 (pod-db-0)"));
  world_.pass(200s);
  world_.run();
  EXPECT_EQ(world_.summary(), "Unknown/WaitingForMigration");
  world_.workloads["owner-db"].ready = 1;
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
}

TEST_F(Flow, TurnsToTheDeadNodePathWhenTheNodeDiesInTheDrain) {
  world_.add_pod(make_pod("web-1"));
  world_.add_pod(make_pod("web-2"));
  world_.protected_pods = {"pod-web-2"};
  world_.run();
  wait_for_death();
  EXPECT_THAT(world_.log, Contains("DeletePod shop/web-2 (pod-web-2)"));
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
  EXPECT_THAT(world_.log, Contains("ClearPod shop/web-1 (pod-web-1)"));
}

TEST_F(Flow, ReturnsToTheDrainWhenTheNodeComesBack) {
  world_.add_pod(make_pod("web-1"));
  world_.kill_kubelet();
  world_.run();
  world_.pass(299s);
  world_.revive_kubelet();
  world_.run();
  EXPECT_FALSE(world_.status().evidence);
  EXPECT_EQ(world_.word(condition::kDrained), "Unknown/Draining");
  EXPECT_EQ(world_.log.back(), "Evict shop/web-1 (pod-web-1)");
}

TEST_F(Flow, CountsTheSilenceAnewWhenTheNodeHadComeBack) {
  world_.add_pod(make_pod("web-1"));
  world_.kill_kubelet();
  world_.run();
  world_.pass(299s);
  world_.revive_kubelet();
  world_.protected_pods = {"pod-web-1"};
  world_.run();
  world_.kill_kubelet();
  world_.run();
  world_.pass(299s);
  world_.run();
  EXPECT_EQ(world_.summary(), "Unknown/NodeNotReady");
  EXPECT_THAT(world_.log, Not(Contains(StartsWith("DeletePod"))));
}

TEST_F(Flow, LetsPodsOfANodeThatCameBackEndInOrder) {
  world_.add_pod(make_pod("web-1"));
  wait_for_death();
  EXPECT_EQ(world_.log.back(), "DeletePod shop/web-1 (pod-web-1)");
  world_.revive_kubelet();
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
  EXPECT_THAT(world_.log, Not(Contains(StartsWith("ClearPod"))));
  EXPECT_EQ(world_.word(condition::kDrained), "True/Drained");
  EXPECT_EQ(world_.word(condition::kTerminatingPodsCleared), "none");
}

TEST_F(Flow, ForcesNothingWhileTooManyNodesAreNotReady) {
  world_.add_pod(make_pod("web-1"));
  world_.run();
  for (auto& node : world_.other_nodes) node.ready = false;
  wait_for_death();
  EXPECT_EQ(world_.summary(), "Unknown/TooManyNodesNotReady");
  EXPECT_THAT(destructive_actions(), ElementsAre("Evict shop/web-1 (pod-web-1)"));
  for (auto& node : world_.other_nodes) node.ready = true;
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
}

// --- cancel

TEST_F(Flow, CancelInTheDrainUndoesWhatWasDoneToTheNode) {
  add_usual_pods();
  world_.run();
  world_.cancel();
  world_.run();
  EXPECT_FALSE(world_.removal) << "the object is gone";
  EXPECT_FALSE(world_.node->unschedulable);
  EXPECT_FALSE(read_claim(*world_.node));
  EXPECT_FALSE(has_taint(*world_.node, crd::kRemovingTaint));
  EXPECT_THAT(world_.log, Not(Contains("DeleteNode")));
}

TEST_F(Flow, CancelLeavesANodeCordonedThatWasSoBefore) {
  world_.node->unschedulable = true;
  add_taint(*world_.node, "gpu");
  world_.run();
  world_.cancel();
  world_.run();
  EXPECT_FALSE(world_.removal);
  EXPECT_TRUE(world_.node->unschedulable);
  EXPECT_EQ(world_.node->taints_json, (boost::json::array{taint_json("gpu")}));
}

TEST_F(Flow, CancelBeforeTheFirstLookDoesNothing) {
  world_.cancel();
  EXPECT_FALSE(world_.removal);
  EXPECT_THAT(world_.log, IsEmpty());
}

TEST_F(Flow, CancelAfterTheDeleteOnlyDropsTheFinalizer) {
  world_.run();
  world_.pass(3s);
  world_.run();
  ASSERT_FALSE(world_.node);
  world_.replace_node();
  world_.cancel();
  world_.run();
  EXPECT_FALSE(world_.removal);
  EXPECT_EQ(world_.log.back(), "RemoveFinalizer");
}

TEST_F(Flow, CancelIsTriedUntilTheServerAnswers) {
  add_usual_pods();
  world_.run();
  world_.cancel();
  world_.requests_fail = true;
  for (int i = 0; i < 5; ++i) world_.run();
  ASSERT_TRUE(world_.removal);
  world_.requests_fail = false;
  world_.run();
  EXPECT_FALSE(world_.removal);
  EXPECT_FALSE(world_.node->unschedulable);
}

// --- the node is another

TEST_F(Flow, TouchesNoSuccessorWheneverTheNodeIsReplaced) {
  for (int step = 0; step < 12; ++step) {
    World world;
    world.add_pod(make_pod("web-1"));
    world.attachments = {"pv-1 (csi-1)"};
    for (int i = 0; i < step; ++i) {
      if (world.status().is_terminal()) break;
      world.round();
      world.let_others_work();
      world.pass(world.decide_now().requeue.value_or(0ms));
    }
    const bool bound = !world.status().node_uid.empty();
    world.replace_node();  // the world complains about every request with the new UID
    world.add_pod(make_pod("web-9"));
    world.run_to_end();
    ASSERT_TRUE(world.removal);
    if (!bound) continue;  // it has never seen the first one
    EXPECT_TRUE(world.node) << step;
    EXPECT_FALSE(world.node->unschedulable) << step;
    EXPECT_EQ(world.status().node_uid, "node-1") << step;
    EXPECT_THAT(world.log, Not(Contains(HasSubstr("web-9")))) << step;
    EXPECT_THAT(world.summary(), testing::AnyOf("True/AlreadyReplaced", "True/NodeRemoved"))
        << step;
  }
}

TEST_F(Flow, TouchesNoSuccessorOfADeadNodeEither) {
  for (int step = 0; step < 12; ++step) {
    World world;
    world.add_pod(make_pod("web-1"));
    world.run();
    world.kill_kubelet();
    for (int i = 0; i < step && !world.status().is_terminal(); ++i) {
      world.round();
      world.let_others_work();
      world.pass(world.decide_now().requeue.value_or(0ms));
    }
    world.replace_node();
    world.add_pod(make_pod("web-9"));
    world.run_to_end();
    EXPECT_FALSE(world.node->unschedulable) << step;
    EXPECT_THAT(world.log, Not(Contains(HasSubstr("web-9")))) << step;
  }
}

TEST_F(Flow, IsDoneWhenTheNodeWasNeverThere) {
  world_.node.reset();
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeAbsent");
  EXPECT_THAT(world_.log, IsEmpty());
}

TEST_F(Flow, IsDoneWhenSomebodyElseDeletesTheNode) {
  add_usual_pods();
  world_.run();
  world_.node.reset();
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
  EXPECT_EQ(world_.word(condition::kNodeDeleted), "True/GoneAlready");
}

TEST_F(Flow, IsDoneWhenTheNodeJoinsAgainRightAfterTheDelete) {
  world_.run();
  world_.pass(3s);
  world_.run();
  ASSERT_FALSE(world_.node);
  world_.replace_node();
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
  EXPECT_EQ(world_.word(condition::kLeftoversGone), "False/NodeRejoined");
  EXPECT_FALSE(world_.node->unschedulable);
}

TEST_F(Flow, NeverActsAgainOnceItIsOver) {
  add_usual_pods();
  world_.run_to_end();
  const auto log = world_.log;
  const auto status = world_.status();
  world_.replace_node();
  add_usual_pods();
  for (const auto time : {1s, 3600s, 86400s}) {
    world_.pass(time);
    world_.run();
  }
  EXPECT_EQ(world_.log, log);
  EXPECT_EQ(world_.status(), status);
}

// --- others want something too

TEST_F(Flow, WaitsWhileAnotherRemovalHoldsTheNode) {
  claim(*world_.node, "removal-2");
  world_.node->unschedulable = true;
  world_.other_removals = {{.name = "first",
                            .uid = "removal-2",
                            .node_name = "jetson",
                            .older = true,
                            .accepted = true}};
  world_.run();
  EXPECT_EQ(world_.summary(), "Unknown/ClaimedByOther");
  EXPECT_THAT(world_.log, IsEmpty());
  world_.other_removals.clear();  // it failed, and has left its claim behind
  world_.run();
  EXPECT_THAT(world_.log, Contains("Cordon jetson (node-1)"));
  world_.cancel();
  world_.run();
  EXPECT_FALSE(world_.node->unschedulable) << "neither of them found it cordoned";
}

TEST_F(Flow, HoldsWhenAUserUncordonsAndGoesOnWhenTheyCordon) {
  world_.add_pod(make_pod("web-1"));
  world_.protected_pods = {"pod-web-1"};
  world_.run();
  world_.node->unschedulable = false;
  world_.protected_pods.clear();
  world_.pass(5s);
  const auto before = world_.log;
  world_.run();
  EXPECT_EQ(world_.summary(), "Unknown/Uncordoned");
  EXPECT_EQ(world_.log, before);
  world_.node->unschedulable = true;
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
}

TEST_F(Flow, DoesNotUncordonTwice) {
  world_.add_pod(make_pod("web-1"));
  world_.run();
  world_.node->unschedulable = false;
  world_.run();
  world_.cancel();
  world_.run();
  EXPECT_THAT(world_.log, Not(Contains(HasSubstr("and uncordon"))));
  EXPECT_FALSE(read_claim(*world_.node));
}

TEST_F(Flow, DeletesNoNodeThatBecameProtected) {
  world_.run();
  world_.node->meta.annotations[std::string{crd::kProtectAnnotation}] = "";
  for (int i = 0; i < 10; ++i) {
    world_.pass(2s);
    world_.run();
  }
  EXPECT_TRUE(world_.node);
  EXPECT_EQ(world_.summary(), "Unknown/DeleteRefused");
  world_.node->meta.annotations.erase(std::string{crd::kProtectAnnotation});
  world_.pass(2s);
  world_.run_to_end();
  EXPECT_EQ(world_.summary(), "True/NodeRemoved");
}

// --- crashes and faults

using SetUpWorld = void (*)(World&);

struct Scenario {
  const char* name;
  SetUpWorld set_up;
};

std::vector<Scenario> scenarios() {
  return {{"Ready node",
           [](World& world) {
             world.add_pod(make_pod("web-1"));
             world.add_pod(make_pod("db-0", "StatefulSet", "db"));
           }},
          {"dead node",
           [](World& world) {
             world.add_pod(make_pod("web-1"));
             world.add_pod(make_pod("db-0", "StatefulSet", "db"));
             world.kill_kubelet();
             world.edit([](auto& spec) { spec.unreachable.fenced = true; });
           }},
          {"only drained",
           [](World& world) {
             world.add_pod(make_pod("web-1"));
             world.edit([](auto& spec) { spec.delete_node = false; });
           }},
          {"drain that times out", [](World& world) {
             world.add_pod(make_pod("web-1"));
             world.protected_pods = {"pod-web-1"};
             world.edit([](auto& spec) { spec.drain.timeout_seconds = 20; });
           }}};
}

std::string end_of(World& world) {
  world.run_to_end();
  return world.summary() + (world.node ? ", node " : ", no node ") +
         (world.node && world.node->unschedulable ? "cordoned" : "") +
         (world.node && read_claim(*world.node) ? "claimed" : "");
}

TEST_F(Flow, EndsTheSameWhereverTheProcessDies) {
  for (const auto& [name, set_up] : scenarios()) {
    World undisturbed;
    set_up(undisturbed);
    const auto end = end_of(undisturbed);
    for (std::size_t k = 0; k < undisturbed.log.size(); ++k) {
      World world;
      set_up(world);
      std::size_t sent = 0;
      world.crash = [&](const Action&) { return sent++ == k; };
      EXPECT_EQ(end_of(world), end) << name << ", dies before action " << k;
    }
  }
}

TEST_F(Flow, EndsTheSameWhenTheProcessDiesBeforeEveryOtherAction) {
  for (const auto& [name, set_up] : scenarios()) {
    World undisturbed;
    set_up(undisturbed);
    const auto end = end_of(undisturbed);
    World world;
    set_up(world);
    bool dies = false;
    world.crash = [&](const Action&) { return dies = !dies; };
    EXPECT_EQ(end_of(world), end) << name;
  }
}

TEST_F(Flow, DestroysNothingWhileAFactCannotBeLearnt) {
  const auto all = {FactName::Node,      FactName::Pods,        FactName::Census,
                    FactName::Workloads, FactName::Attachments, FactName::Leftovers};
  for (const auto fact : all) {
    for (const auto& [name, set_up] : scenarios()) {
      World world;
      set_up(world);
      world.unreadable = {fact};
      for (int i = 0; i < 40; ++i) {
        world.run();
        world.let_others_work();
        world.pass(60s);
      }
      EXPECT_TRUE(world.node || fact == FactName::Leftovers) << name_of(fact) << ", " << name;
      if (world.status().is_terminal()) continue;
      EXPECT_EQ(world.summary(), "Unknown/ApiUnavailable") << name_of(fact) << ", " << name;
      world.unreadable.clear();
      world.run_to_end();
      EXPECT_TRUE(world.status().is_terminal()) << name_of(fact) << ", " << name;
    }
  }
}

}  // namespace
}  // namespace reconcilers
