#include "reconcilers/classify.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test/unit/reconcilers/builders.hpp"

namespace reconcilers {
namespace {

using testing::HasSubstr;

crd::Pod with_phase(crd::Pod pod, const std::string& phase) {
  pod.phase = phase;
  return pod;
}

crd::Pod with_empty_dir(crd::Pod pod) {
  pod.empty_dir = true;
  return pod;
}

crd::DrainSpec consent(bool force, bool delete_empty_dir_data, bool ignore_daemon_sets) {
  crd::DrainSpec drain;
  drain.force = force;
  drain.delete_empty_dir_data = delete_empty_dir_data;
  drain.ignore_daemon_sets = ignore_daemon_sets;
  return drain;
}

std::string word(const PodVerdict& verdict) {
  const auto name = [&] {
    switch (verdict.pod_class) {
      case PodClass::Leaves:
        return "Leaves";
      case PodClass::Finishes:
        return "Finishes";
      case PodClass::ComesBack:
        return "ComesBack";
      case PodClass::NeedsWord:
        return "NeedsWord";
      case PodClass::LeftOut:
        return "LeftOut";
      case PodClass::Stays:
        break;
    }
    return "Stays";
  };
  return std::string{name()} + "/" + verdict.reason;
}

struct Case {
  std::string name;
  crd::Pod pod;
  std::string by_default;           ///< ignoreDaemonSets only, the default
  std::string with_force;           ///< and force
  std::string with_empty_dir_data;  ///< and deleteEmptyDirData
  std::string with_both;
  std::string without_daemon_sets;  ///< both, but not ignoreDaemonSets
};

std::vector<Case> cases() {
  const auto owned = make_pod("web-1");
  const auto naked = make_naked_pod("debug");
  const auto daemon = make_pod("proxy-1", "DaemonSet", "proxy");
  const std::string leaves = "Leaves/Running";
  const std::string finished = "Leaves/Finished";
  const std::string terminates = "Leaves/Terminating";
  const std::string unmanaged = "NeedsWord/UnmanagedPod";
  const std::string empty_dir = "NeedsWord/EmptyDirData";
  const std::string daemon_stays = "Stays/DaemonSetPod";
  const std::string daemon_blocks = "NeedsWord/DaemonSetPod";
  const std::string mirror = "Stays/MirrorPod";
  const auto daemon_terminates = terminating(daemon);
  return {
      {"owned", owned, leaves, leaves, leaves, leaves, leaves},
      {"of a Job", make_pod("job", "Job", "j"), leaves, leaves, leaves, leaves, leaves},
      {"of a custom controller", make_pod("x", "CloneSet", "c"), leaves, leaves, leaves, leaves,
       leaves},
      {"owned, emptyDir", with_empty_dir(owned), empty_dir, empty_dir, leaves, leaves, leaves},
      {"naked", naked, unmanaged, leaves, unmanaged, leaves, leaves},
      {"naked, emptyDir", with_empty_dir(naked), unmanaged, empty_dir, unmanaged, leaves, leaves},
      {"naked, finished", with_phase(naked, "Succeeded"), finished, finished, finished, finished,
       finished},
      {"naked, failed, emptyDir", with_empty_dir(with_phase(naked, "Failed")), finished, finished,
       finished, finished, finished},
      {"naked, terminating", terminating(naked), terminates, terminates, terminates, terminates,
       terminates},
      {"owned, emptyDir, terminating", with_empty_dir(terminating(owned)), terminates, terminates,
       terminates, terminates, terminates},
      {"of a DaemonSet", daemon, daemon_stays, daemon_stays, daemon_stays, daemon_stays,
       daemon_blocks},
      {"of a DaemonSet, emptyDir", with_empty_dir(daemon), daemon_stays, daemon_stays, daemon_stays,
       daemon_stays, daemon_blocks},
      {"of a DaemonSet, terminating", daemon_terminates, daemon_stays, daemon_stays, daemon_stays,
       daemon_stays, daemon_blocks},
      {"mirror", make_mirror_pod("apiserver"), mirror, mirror, mirror, mirror, mirror},
      {"mirror, emptyDir", with_empty_dir(make_mirror_pod("etcd")), mirror, mirror, mirror, mirror,
       mirror},
      {"mirror, terminating", terminating(make_mirror_pod("etcd")), mirror, mirror, mirror, mirror,
       mirror},
  };
}

TEST(Classify, AsksForConsentAsKubectlDrainDoes) {
  for (const auto& [name, pod, by_default, force, empty_dir_data, both, no_daemon_sets] : cases()) {
    EXPECT_EQ(word(classify(pod, consent(false, false, true), std::nullopt)), by_default) << name;
    EXPECT_EQ(word(classify(pod, consent(true, false, true), std::nullopt)), force)
        << name << ", force";
    EXPECT_EQ(word(classify(pod, consent(false, true, true), std::nullopt)), empty_dir_data)
        << name << ", deleteEmptyDirData";
    EXPECT_EQ(word(classify(pod, consent(true, true, true), std::nullopt)), both)
        << name << ", both";
    EXPECT_EQ(word(classify(pod, consent(true, true, false), std::nullopt)), no_daemon_sets)
        << name << ", ignoreDaemonSets: false";
  }
}

TEST(Classify, SaysWhatToDoWhenItNeedsAWord) {
  for (const auto& one : cases()) {
    for (const bool ignore_daemon_sets : {false, true}) {
      const auto verdict =
          classify(one.pod, consent(false, false, ignore_daemon_sets), std::nullopt);
      if (verdict.pod_class != PodClass::NeedsWord) continue;
      EXPECT_THAT(verdict.message, HasSubstr("spec.drain.")) << one.name;
    }
  }
}

TEST(Classify, DoesNotTakeAnOwnerThatIsNoControllerForOne) {
  auto pod = make_pod("web-1", "DaemonSet", "proxy");
  pod.meta.owner_references.front().controller = false;
  EXPECT_EQ(word(classify(pod, {}, std::nullopt)), "NeedsWord/UnmanagedPod");
}

crd::LabelSelector labelled(const std::string& app) {
  crd::LabelSelector selector;
  selector.match_labels["app"] = app;
  return selector;
}

crd::Pod with_app(crd::Pod pod, const std::string& app) {
  pod.meta.labels["app"] = app;
  return pod;
}

TEST(Classify, LeavesOutWhatPodSelectorDoesNotSelect) {
  crd::DrainSpec drain;
  drain.pod_selector = labelled("web");
  const auto verdict = [&](const crd::Pod& pod) {
    return word(classify(pod, drain, std::nullopt));
  };
  EXPECT_EQ(verdict(with_app(make_pod("web-1"), "web")), "Leaves/Running");
  EXPECT_EQ(verdict(with_app(make_pod("db-1"), "db")), "LeftOut/NotSelected");
  EXPECT_EQ(verdict(make_pod("db-1")), "LeftOut/NotSelected");
  EXPECT_EQ(verdict(terminating(make_pod("db-1"))), "LeftOut/NotSelected");
  EXPECT_EQ(verdict(make_naked_pod("debug")), "LeftOut/NotSelected");
  EXPECT_EQ(verdict(with_app(make_naked_pod("debug"), "web")), "NeedsWord/UnmanagedPod");
  EXPECT_EQ(verdict(with_phase(make_pod("job-1"), "Succeeded")), "Stays/Finished");
  EXPECT_EQ(verdict(make_pod("proxy-1", "DaemonSet", "proxy")), "Stays/DaemonSetPod");
  EXPECT_EQ(verdict(make_mirror_pod("etcd")), "Stays/MirrorPod");
}

TEST(Classify, LeavesPodsThatWaitForCompletionSelectsToFinish) {
  crd::DrainSpec drain;
  drain.wait_for_completion = labelled("batch");
  const auto verdict = [&](const crd::Pod& pod) {
    return word(classify(with_app(pod, "batch"), drain, std::nullopt));
  };
  EXPECT_EQ(verdict(make_pod("job-1", "Job", "job")), "Finishes/WaitForCompletion");
  EXPECT_EQ(verdict(make_naked_pod("job-1")), "Finishes/WaitForCompletion") << "nothing is lost";
  EXPECT_EQ(verdict(with_empty_dir(make_pod("job-1"))), "Finishes/WaitForCompletion");
  EXPECT_EQ(verdict(with_phase(make_pod("job-1"), "Succeeded")), "Leaves/Finished");
  EXPECT_EQ(verdict(terminating(make_pod("job-1"))), "Leaves/Terminating");
  EXPECT_EQ(verdict(make_mirror_pod("etcd")), "Stays/MirrorPod");
  EXPECT_EQ(word(classify(make_pod("web-1"), drain, std::nullopt)), "Leaves/Running");
}

TEST(Classify, DoesNotTellAPodToLeaveThatCameBackOntoTheCordonedNode) {
  auto pod = make_pod("agent-1");
  pod.tolerations = {{.key = {}, .any_value = true, .value = {}, .effect = {}}};
  const auto started = [&](crd::TimePoint time) {
    pod.meta.creation_timestamp = time;
    return word(classify(pod, {}, kNow));
  };
  EXPECT_EQ(started(kNow - 1s), "Leaves/Running") << "it was here before";
  EXPECT_EQ(started(kNow), "Leaves/Running");
  EXPECT_EQ(started(kNow + 1s), "ComesBack/ToleratesCordon");
  EXPECT_EQ(word(classify(pod, {}, std::nullopt)), "Leaves/Running") << "nothing is cordoned";
  pod.tolerations = {
      {.key = "node.kubernetes.io/unschedulable", .any_value = true, .value = {}, .effect = {}}};
  EXPECT_EQ(started(kNow + 1s), "Leaves/Running") << "our own taint keeps it away";
  pod.tolerations.clear();
  EXPECT_EQ(started(kNow + 1s), "Leaves/Running") << "it was bound a moment after the cordon";
  EXPECT_EQ(started(kNow + 5s), "Leaves/Running");
  EXPECT_EQ(started(kNow + 6s), "ComesBack/BypassesScheduler");
  pod.meta.owner_references.clear();
  EXPECT_EQ(started(kNow + 6s), "NeedsWord/UnmanagedPod") << "somebody made it by hand";
}

TEST(WaveOf, LetsWorkloadsLeaveBeforeWhatTheyNeedAndTheOperatorLast) {
  Policy policy;
  policy.own_pod = "shop/operator";
  const auto with_class = [](const std::string& name, const std::string& priority_class) {
    auto pod = make_pod(name);
    pod.priority_class = priority_class;
    return pod;
  };
  EXPECT_EQ(wave_of(with_class("web-1", ""), policy), 0);
  EXPECT_EQ(wave_of(with_class("web-1", "high"), policy), 0);
  EXPECT_EQ(wave_of(with_class("dns", "system-cluster-critical"), policy), 1);
  EXPECT_EQ(wave_of(with_class("csi", "system-node-critical"), policy), 2);
  EXPECT_EQ(wave_of(with_phase(with_class("csi", "system-node-critical"), "Failed"), policy), 0);
  EXPECT_EQ(wave_of(with_class("operator", "system-cluster-critical"), policy), 3);
  EXPECT_EQ(wave_of(with_class("operator", "system-cluster-critical"), {}), 1);
}

TEST(MustRunAtMostOnce, HoldsForStatefulSetsAndVolumesThatOnlyOneNodeMayUse) {
  const std::map<std::string, bool> claims{{"shop/own", true}, {"shop/shared", false}};
  const auto with_claims = [](crd::Pod pod, std::vector<std::string> names) {
    pod.claims = std::move(names);
    return pod;
  };
  const auto once = [&](const crd::Pod& pod) { return must_run_at_most_once(pod, &claims); };
  EXPECT_TRUE(once(make_pod("db-0", "StatefulSet", "db")));
  EXPECT_TRUE(once(with_claims(make_pod("web-1"), {"own"})));
  EXPECT_TRUE(once(with_claims(make_naked_pod("debug"), {"shared", "own"})));
  EXPECT_TRUE(once(with_claims(make_pod("web-1"), {"unheard-of"})));
  EXPECT_FALSE(once(with_claims(make_pod("web-1"), {"shared"})));
  EXPECT_TRUE(must_run_at_most_once(with_claims(make_pod("web-1"), {"shared"}), nullptr))
      << "nobody has looked";
  EXPECT_FALSE(once(make_pod("web-1")));
  EXPECT_FALSE(once(make_naked_pod("debug")));
  EXPECT_FALSE(once(with_empty_dir(make_pod("web-1"))));
  EXPECT_FALSE(once(with_phase(make_pod("db-0", "StatefulSet", "db"), "Succeeded")));
}

}  // namespace
}  // namespace reconcilers
