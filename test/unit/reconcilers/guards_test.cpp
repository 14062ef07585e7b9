#include "reconcilers/guards.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

using testing::HasSubstr;

/// The cluster that the guards look at: "jetson", which is to go, "nano" and "xavier".
struct Cluster {
  crd::NodeRemovalSpec spec = make_removal().spec;
  crd::Node node = make_node();
  std::vector<NodeSummary> census = make_census();
  std::vector<OtherRemoval> others;

  void make_control_plane(std::size_t index) {
    census[index].control_plane = true;
    if (index == 0) node.meta.labels["node-role.kubernetes.io/control-plane"] = "";
  }

  void remove_too(std::size_t index, bool begun) {
    others.push_back({.name = "other-" + census[index].name,
                      .uid = "other-uid-" + census[index].name,
                      .node_name = census[index].name,
                      .accepted = begun});
  }

  /// "LastControlPlaneNode", with "!" when it is final, or "none".
  std::string refusal() const {
    const auto found = refuse_to_begin(spec, node, census, others);
    return found ? found->reason + (found->final ? "!" : "") : "none";
  }
};

TEST(Guards, LetAnOrdinaryNodeGo) { EXPECT_EQ(Cluster{}.refusal(), "none"); }

// --- control plane

TEST(Guards, KeepAControlPlaneNodeUnlessItIsAllowed) {
  Cluster cluster;
  cluster.make_control_plane(0);
  cluster.make_control_plane(1);
  EXPECT_EQ(cluster.refusal(), "ControlPlaneNode!");
  cluster.spec.allow_control_plane = true;
  EXPECT_EQ(cluster.refusal(), "none");
}

TEST(Guards, KnowTheOldControlPlaneLabelToo) {
  Cluster cluster;
  cluster.node.meta.labels["node-role.kubernetes.io/master"] = "";
  EXPECT_EQ(cluster.refusal(), "ControlPlaneNode!");
}

TEST(Guards, KeepTheLastControlPlaneNodeAlways) {
  Cluster cluster;
  cluster.spec.allow_control_plane = true;
  cluster.make_control_plane(0);
  EXPECT_EQ(cluster.refusal(), "LastControlPlaneNode!");
}

TEST(Guards, DoNotCountAControlPlaneNodeThatIsNotReady) {
  Cluster cluster;
  cluster.spec.allow_control_plane = true;
  cluster.make_control_plane(0);
  cluster.make_control_plane(1);
  cluster.census[1].ready = false;
  EXPECT_EQ(cluster.refusal(), "LastControlPlaneNode!");
}

TEST(Guards, KeepTheLastControlPlaneNodeAlsoWhenItIsNotReady) {
  Cluster cluster;
  cluster.spec.allow_control_plane = true;
  cluster.make_control_plane(0);
  stop_kubelet(cluster.node, kNow);
  EXPECT_EQ(cluster.refusal(), "LastControlPlaneNode!");
}

TEST(Guards, KeepAControlPlaneNodeWhileTheOtherOneIsBeingRemoved) {
  Cluster cluster;
  cluster.spec.allow_control_plane = true;
  cluster.make_control_plane(0);
  cluster.make_control_plane(1);
  cluster.remove_too(1, /*begun=*/false);
  EXPECT_EQ(cluster.refusal(), "none") << "the other removal may never begin";
  cluster.others.front().accepted = true;
  EXPECT_EQ(cluster.refusal(), "LastControlPlaneNode") << "and not for good: it may be cancelled";
}

TEST(Guards, DoNotTakeTheNodeItselfForAnotherOne) {
  Cluster cluster;
  cluster.spec.allow_control_plane = true;
  cluster.make_control_plane(0);
  cluster.census = {cluster.census[0]};
  EXPECT_EQ(cluster.refusal(), "LastControlPlaneNode!");
  cluster.census.clear();
  EXPECT_EQ(cluster.refusal(), "LastControlPlaneNode!");
}

// --- last schedulable node

TEST(Guards, KeepTheLastNodeThatPodsCouldRunOn) {
  const struct {
    std::string name;
    std::function<void(NodeSummary&)> change;
    std::string refusal;
  } kCases[] = {
      {"is Ready and schedulable", [](auto&) {}, "none"},
      {"is not Ready", [](auto& node) { node.ready = false; }, "LastSchedulableNode"},
      {"is cordoned", [](auto& node) { node.unschedulable = true; }, "LastSchedulableNode"},
      {"is neither",
       [](auto& node) {
         node.ready = false;
         node.unschedulable = true;
       },
       "LastSchedulableNode"},
  };
  for (const auto& [name, change, refusal] : kCases) {
    Cluster cluster;
    cluster.census.pop_back();
    change(cluster.census[1]);
    EXPECT_EQ(cluster.refusal(), refusal) << "the other node " << name;
  }
}

TEST(Guards, LetADeadNodeGoAlsoWhenItIsTheLast) {
  Cluster cluster;
  cluster.census = {cluster.census[0]};
  EXPECT_EQ(cluster.refusal(), "LastSchedulableNode");
  stop_kubelet(cluster.node, kNow);
  EXPECT_EQ(cluster.refusal(), "none") << "its pods do not run here any more";
}

TEST(Guards, CountNodesThatAnotherRemovalHasBegunWithAsGone) {
  Cluster cluster;
  cluster.remove_too(1, /*begun=*/true);
  EXPECT_EQ(cluster.refusal(), "none") << "xavier stays";
  cluster.remove_too(2, /*begun=*/true);
  EXPECT_EQ(cluster.refusal(), "LastSchedulableNode");
}

TEST(Guards, CountNodesThatAnotherRemovalWaitsForAsStaying) {
  Cluster cluster;
  cluster.remove_too(1, /*begun=*/false);
  cluster.remove_too(2, /*begun=*/false);
  cluster.others.front().older = true;
  EXPECT_EQ(cluster.refusal(), "none");
}

// --- protection

TEST(Guards, KeepAProtectedNodeAsLongAsItIs) {
  Cluster cluster;
  for (const auto value : {"", "true", "false"}) {
    cluster.node.meta.annotations[std::string{crd::kProtectAnnotation}] = value;
    EXPECT_EQ(cluster.refusal(), "NodeProtected") << value;
  }
  cluster.node.meta.annotations.clear();
  EXPECT_EQ(cluster.refusal(), "none");
}

// --- the brake

std::vector<NodeSummary> census_of(int ready, int not_ready) {
  std::vector<NodeSummary> census;
  for (int i = 0; i < ready + not_ready; ++i) {
    census.push_back(make_summary("n" + std::to_string(i), "u" + std::to_string(i)));
    census.back().ready = i < ready;
  }
  return census;
}

TEST(Brake, HoldsAtThreeNodesAndFiftyFivePercent) {
  const struct {
    int ready;
    int not_ready;
    bool holds;
  } kCases[] = {
      {3, 0, false},   {1, 2, false},                   // 67 %, but only two nodes
      {0, 2, false},   {0, 3, true},   {2, 3, true},    // 60 %
      {3, 3, false},                                    // 50 %
      {46, 54, false}, {45, 55, true}, {44, 56, true},  // around 55 %
      {9, 11, true},                                    // 55 % exactly
      {10, 11, false},                                  // 52.4 %
      {0, 0, false},
  };
  for (const auto& [ready, not_ready, holds] : kCases) {
    EXPECT_EQ(brake(census_of(ready, not_ready), {}).has_value(), holds)
        << ready << " Ready, " << not_ready << " NotReady";
  }
}

TEST(Brake, SaysHowManyNodesAreNotReady) {
  EXPECT_EQ(brake(census_of(2, 3), {}),
            "3 of 5 nodes are NotReady, which looks like a network or control-plane fault. Nothing "
            "is forced and no "
            "Node is deleted until more than 45 % of the nodes are Ready again.");
}

TEST(Brake, IsTunedByThePolicy) {
  Policy policy;
  policy.min_healthy_percent = 44;
  EXPECT_FALSE(brake(census_of(45, 55), policy));
  policy.min_healthy_percent = 60;
  EXPECT_TRUE(brake(census_of(60, 40), policy));
  policy.min_healthy_percent = 0;
  EXPECT_FALSE(brake(census_of(1, 99), policy));
  EXPECT_TRUE(brake(census_of(0, 99), policy));
  policy = {};
  policy.brake_min_nodes = 1;
  EXPECT_TRUE(brake(census_of(0, 1), policy));
}

// --- budget and rejoined nodes

TEST(Budget, IsGivenInTheOrderInWhichRemovalsAskForIt) {
  Policy policy;
  const OtherRemoval begun{.name = "a", .uid = "1", .node_name = "x", .accepted = true};
  const OtherRemoval before{
      .name = "b", .uid = "2", .node_name = "y", .older = true, .waits_for_budget = true};
  const OtherRemoval behind{.name = "c", .uid = "3", .node_name = "z", .waits_for_budget = true};
  const OtherRemoval waits_for_other_reasons{
      .name = "d", .uid = "4", .node_name = "z", .older = true};
  EXPECT_FALSE(refuse_over_budget({begun, begun, begun}, policy)) << "no limit";
  policy.max_concurrent_removals = 2;
  EXPECT_FALSE(refuse_over_budget({begun}, policy));
  EXPECT_FALSE(refuse_over_budget({begun, behind, waits_for_other_reasons}, policy));
  const auto refusal = refuse_over_budget({begun, before}, policy);
  ASSERT_TRUE(refusal);
  EXPECT_FALSE(refusal->final);
  EXPECT_EQ(refusal->reason, "BudgetUsedUp");
  EXPECT_EQ(
      refusal->message,
      "At most 2 removals may be under way at the same time (--max-concurrent-removals). This "
      "one waits for a, b.");
}

TEST(Rejoined, IsANodeWhoseNameWasRemovedBeforeUnlessItIsPinned) {
  auto node = make_node();
  crd::NodeRemovalSpec spec;
  const auto refusal = refuse_rejoined(spec, node, {{"jetson", {"node-0", "before", "then"}}});
  ASSERT_TRUE(refusal);
  EXPECT_FALSE(refusal->final);
  EXPECT_EQ(
      refusal->message,
      "Node jetson has joined again after NodeRemoval before removed its predecessor at then, "
      "and this NodeRemoval does not say which of them it means. If this one is to go too, "
      "create the NodeRemoval again with spec.nodeUID: node-1");
  EXPECT_FALSE(refuse_rejoined(spec, node, {{"jetson", {"node-1", "before", "then"}}}))
      << "the very node that was to be removed";
  EXPECT_FALSE(refuse_rejoined(spec, node, {{"nano", {"node-0", "before", "then"}}}));
  spec.node_uid = "node-1";
  EXPECT_FALSE(refuse_rejoined(spec, node, {{"jetson", {"node-0", "before", "then"}}}));
}

// --- claims

crd::Node annotated(const std::string& claim_text) {
  auto node = make_node();
  node.meta.annotations[std::string{crd::kClaimAnnotation}] = claim_text;
  return node;
}

TEST(ReadClaim, IsNothingWithoutTheAnnotation) { EXPECT_FALSE(read_claim(make_node())); }

TEST(ReadClaim, ReadsWhatACordonWrites) {
  const auto claim =
      read_claim(annotated(R"({"removal": "gone", "uid": "removal-1", "wasUnschedulable": true})"));
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->removal, "gone");
  EXPECT_EQ(claim->uid, "removal-1");
  EXPECT_TRUE(claim->was_unschedulable);
}

TEST(ReadClaim, TakesTheNodeForCordonedByOthersWhenItCannotBeRead) {
  for (const auto text : {"", "gone", "{", "[]", "7", "null", R"("removal-1")"}) {
    const auto claim = read_claim(annotated(text));
    ASSERT_TRUE(claim) << text;
    EXPECT_EQ(claim->uid, "") << text;
    EXPECT_TRUE(claim->was_unschedulable) << text;
  }
}

TEST(ReadClaim, HasNoUidWhenTheMembersHaveOtherTypes) {
  const auto claim =
      read_claim(annotated(R"({"removal": 1, "uid": {}, "wasUnschedulable": "yes"})"));
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->uid, "");
}

TEST(HeldByOther, NamesTheHolderThatStillExists) {
  const std::vector<OtherRemoval> others{{.name = "b", .uid = "removal-2", .node_name = "jetson"}};
  const struct {
    std::string claim;
    std::optional<std::string> holder;
  } kCases[] = {
      {R"({"uid": "removal-1"})", std::nullopt},  // ours
      {R"({"uid": "removal-2"})", "b"},
      {R"({"uid": "removal-3"})", std::nullopt},  // stale: its removal is finished or gone
      {R"(gibberish)", std::nullopt},
  };
  for (const auto& [claim, holder] : kCases) {
    EXPECT_EQ(held_by_other(annotated(claim), "removal-1", others), holder) << claim;
  }
  EXPECT_EQ(held_by_other(make_node(), "removal-1", others), std::nullopt);
}

}  // namespace
}  // namespace reconcilers
