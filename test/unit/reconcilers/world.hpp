#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "crd/node_removal.hpp"
#include "reconcilers/decision.hpp"
#include "reconcilers/gate.hpp"
#include "reconcilers/observation.hpp"
#include "reconcilers/policy.hpp"

namespace reconcilers {

/// A small cluster in memory: one node that is to go, its pods, and the NodeRemoval. It answers
/// decide()'s questions, carries its actions out as the API server would, and complains (as a test
/// failure) about what may never happen. Everything is open to the test, which plays the users, the
/// kubelet and the clock.
class World {
 public:
  World();

  Policy policy;
  crd::TimePoint now;
  std::optional<crd::Node> node;
  std::vector<crd::Pod> pods;  ///< bound to the name of the node
  std::vector<NodeSummary> other_nodes;
  std::optional<crd::NodeRemoval> removal;  ///< nullopt once it is gone
  std::vector<OtherRemoval> other_removals;
  std::map<std::string, WorkloadProgress> workloads;  ///< by UID
  std::vector<std::string> attachments;
  std::map<std::string, bool> claims;     ///< exclusive PersistentVolumeClaims
  std::map<std::string, Refusal> trials;  ///< refusals of a dry run, by pod UID
  int server_minor = 20;
  std::optional<crd::HandOverPod> hand_over_pod;
  /// What the machine does with a cleaning: Refuses to take it over, is Silent once it was started,
  /// or reports.
  enum class Machine { Refuses, Silent, Reports } machine = Machine::Reports;
  std::string machine_phase = "Succeeded";  ///< of its report
  std::map<std::string, RemovedNode> removed_nodes;
  bool lease = true;
  bool csi_node = true;
  std::set<std::string> protected_pods;  ///< by UID: a PodDisruptionBudget does not let them go
  std::set<FactName> unreadable;         ///< facts that the API server does not give
  bool requests_fail = false;            ///< the API server answers no write but that of the status

  std::vector<std::string> log;  ///< every action that was carried out, in words
  /// Called before each action; the process dies right there when it returns true.
  std::function<bool(const Action&)> crash = [](const Action&) { return false; };

  void add_pod(crd::Pod pod);
  void kill_kubelet();
  void revive_kubelet();
  /// kubectl cordon, kubectl uncordon
  void set_unschedulable(bool unschedulable);
  /// Deletes the node and joins it again under the same name.
  void replace_node();
  /// kubectl delete noderemoval
  void cancel();
  /// Changes the spec, as an administrator does.
  void edit(const std::function<void(crd::NodeRemovalSpec&)>& change);
  void restart_operator();

  Decision decide_now() const;
  /// observe, decide, write the status, act.
  Decision round();
  /// Rounds until one changes nothing.
  void run();
  void pass(std::chrono::milliseconds time) { now += time; }
  /// The kubelet, the controllers and PodGC do their work; true when they had any.
  bool let_others_work();
  /// Runs, lets the others work, and lets time pass as decisions ask for it, until nothing is left
  /// to do.
  void run_to_end();

  const crd::NodeRemovalStatus& status() const { return removal->status; }
  std::string summary() const;
  std::string word(std::string_view type) const;
  std::string message(std::string_view type) const;

 private:
  Observation ask_nothing() const;
  void answer(FactName fact, Observation& seen) const;
  std::vector<NodeSummary> census() const;
  bool write_status(const crd::NodeRemovalStatus& status);
  bool carry_out(const Action& action);
  bool act(const AddFinalizer&);
  bool act(const RemoveFinalizer&);
  bool act(const Cordon& cordon);
  bool act(const Release& release);
  bool act(const SetTaints& action);
  bool act(const Evict& evict);
  bool act(const DeletePod& deletion);
  bool act(const ClearPod& clear);
  bool act(const CreateHandOverPod& create);
  bool act(const StartHostCleanup&);
  bool act(const DeleteHandOverPod& deletion);
  bool act(const RecordRemoval& record);
  bool act(const CreateChild&);
  bool act(const SteerChild&);
  bool act(const DeleteRemoval&);
  bool act(const DeleteNode&);
  crd::Pod* find_pod(const crd::PodRef& ref);
  bool let_machine_work();
  FreshView fresh_view() const;
  bool may_act_on_dead_pods(bool at_most_once) const;
  void check_settled(const Decision& decision) const;

  std::map<std::string, Refusal> refusals_;
  std::map<std::string, crd::TimePoint> accepted_;
  std::map<std::string, crd::TimePoint> cleared_;
  bool machine_waits_ = false;  ///< the cleaning was handed over to it
  std::string action_error_;
  std::string gate_refusal_;
  int version_ = 1000;
  int replacements_ = 0;
};

}  // namespace reconcilers
