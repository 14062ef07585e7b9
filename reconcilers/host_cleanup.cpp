#include "reconcilers/host_cleanup.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "reconcilers/guards.hpp"
#include "reconcilers/hand_over_pod.hpp"
#include "reconcilers/steps.hpp"

namespace reconcilers {
namespace {

using crd::ConditionStatus;
using crd::HandOverPod;
using crd::HostReport;
namespace condition = crd::condition;
namespace phase = crd::cleanup_phase;
using namespace std::chrono_literals;

const crd::Condition* settled(Round& round) {
  const auto* cleaned = round.status().conditions.find(condition::kHostCleaned);
  return cleaned == nullptr || cleaned->status == ConditionStatus::Unknown ? nullptr : cleaned;
}

/// Status says that the machine may be told to begin, which is written before that is sent.
bool start_is_announced(const Round& round) {
  const auto* cleaned = round.removal().status.conditions.find(condition::kHostCleaned);
  return cleaned != nullptr && cleaned->status == ConditionStatus::Unknown &&
         (cleaned->reason == "HandedOver" || cleaned->reason == "DeleteRefused" ||
          cleaned->reason == "Cleaning");
}

std::string pod_name(const Round& round) {
  return round.policy.host_cleanup_namespace + "/" + hand_over_pod_name(round.removal());
}

/// What to do on the machine by hand.
std::string by_hand(const Round& round) {
  auto command = std::string{"noderemoval host-cleanup"};
  auto plan = round.spec().host_cleanup.plan;
  plan.dry_run = false;
  for (const auto& argument : crd::arguments_of(plan)) command += " " + argument;
  return "Before the machine joins again, run on it: " + command;
}

/// What to do when nothing was changed on the machine: nothing, where its Node is given back.
std::string untouched(const Round& round) {
  const bool goes_on = round.spec().host_cleanup.on_failure == crd::TimeoutAction::Continue;
  return "Nothing was changed on the machine" +
         (goes_on ? ". " + by_hand(round) : std::string{", and its Node is given back."});
}

std::string files(const Round& round) { return "/var/lib/noderemoval/" + round.removal().meta.uid; }

/// The machine is not clean, and somebody has to know why.
Step not_cleaned(Round& round, std::string_view reason, const std::string& message) {
  round.set(condition::kHostCleaned, ConditionStatus::False, reason, message);
  if (round.spec().host_cleanup.on_failure == crd::TimeoutAction::Continue) return Step::Next;
  return round.fail("HostCleanupFailed", message);
}

std::string words_of(const HostReport& report) {
  auto text = report.reason;
  if (!report.message.empty()) text += (text.empty() ? "" : ": ") + report.message;
  if (!report.steps.empty()) text += (text.empty() ? "" : ". ") + crd::describe(report);
  return text.empty() ? "it does not say why" : text;
}

/// What the machine says at the end of its cleaning.
Step conclude(Round& round, const HostReport& report) {
  const auto text = words_of(report);
  if (report.phase == phase::kPlanned) {
    round.set(condition::kHostCleaned, ConditionStatus::False, "DryRun",
              "Nothing was cleaned (spec.hostCleanup.dryRun). Would be: " + text);
    return Step::Next;
  }
  if (report.phase != phase::kSucceeded) {
    return not_cleaned(round, "CleanupFailed",
                       "The machine is not clean: " + text + ". See " + files(round) + " on it. " +
                           by_hand(round));
  }
  const auto nothing = [](const crd::StepReport& step) {
    return step.result == crd::step_result::kNothingToDo ||
           step.result == crd::step_result::kSkipped;
  };
  round.pass(condition::kHostCleaned,
             std::ranges::all_of(report.steps, nothing) ? "NothingToDo" : "Cleaned", text);
  return Step::Next;
}

std::string in_brackets(const std::string& text) {
  return text.empty() ? "" : " (" + crd::shortened(text) + ")";
}

/// Nobody would wait for a report any more, so the machine is not told to begin.
Step give_up_start(Round& round, const std::string& what) {
  // A watch that is behind does not show a start whose answer was lost.
  if (!round.seen.node_is_fresh) {
    round.decision.needs.insert(FactName::FreshNode);
    return Step::Wait;
  }
  const auto limit = std::to_string(round.spec().host_cleanup.timeout_seconds);
  return not_cleaned(round, "TimedOut", "After " + limit + " s " + what + ". " + untouched(round));
}

Step take_hand_over(Round& round, const HandOverPod& pod) {
  const auto report = crd::host_report_from_text(pod.ended);
  const bool ours = report && report->uid == round.removal().meta.uid;
  if (!ours || pod.phase == "Failed") {
    const auto why = ours ? words_of(*report) : pod.waiting;
    return not_cleaned(
        round, "HandOverFailed",
        "Pod " + pod_name(round) + " could not hand the cleaning over to the machine: " +
            (why.empty() ? "it ended without a report" : why) + ". " + untouched(round));
  }
  // Running: somebody took the start off the Node again.
  const bool waits = report->phase == phase::kHandedOver || report->phase == phase::kRunning;
  if (!waits) return conclude(round, *report);
  if (round.timed_out(condition::kHostCleaned, round.spec().host_cleanup.timeout_seconds)) {
    return give_up_start(round,
                         "the cleaning had been handed over to the machine and not been started" +
                             in_brackets(round.seen.gate_refusal));
  }
  round.decision.actions.emplace_back(StartHostCleanup{});
  round.requeue_after(std::max(round.poll_interval(condition::kHostCleaned), 1000ms));
  if (!round.seen.gate_refusal.empty()) {
    return round.wait(condition::kHostCleaned, "DeleteRefused",
                      "The cleaning of the machine is not started: " + round.seen.gate_refusal);
  }
  return round.wait(condition::kHostCleaned, "HandedOver",
                    "The machine is about to clean itself: " + crd::describe(*report));
}

/// A node that is NotReady for a moment may come back; one that is dead cannot be cleaned.
Step wait_for_machine(Round& round) {
  const auto& node = round.node();
  const auto dead_time = dead_at(*round.status().evidence, node, round.spec(), round.time);
  const bool late =
      round.timed_out(condition::kHostCleaned, round.spec().host_cleanup.timeout_seconds);
  if (round.now >= dead_time || late) {
    return not_cleaned(round, "HostUnreachable",
                       "Node " + node.meta.name +
                           " is NotReady, so that nothing can run on its machine. " +
                           by_hand(round));
  }
  round.requeue_at(dead_time);
  // The start may have been sent, with its answer lost and a watch that is behind.
  return round.wait(condition::kHostCleaned,
                    start_is_announced(round) ? "HandedOver" : "NodeNotReady",
                    "Node " + node.meta.name + " is NotReady. If it stays so until " +
                        crd::to_rfc3339(dead_time) + " its machine cannot be cleaned.");
}

Step make_pod(Round& round) {
  const auto* minor = known(round.seen.server_minor);
  if (minor == nullptr) return round.need(FactName::ServerMinor, round.seen.server_minor);
  round.decision.actions.emplace_back(CreateHandOverPod{
      round.policy.host_cleanup_namespace, hand_over_pod(round.removal(), round.policy, *minor)});
  round.requeue_after(round.poll_interval(condition::kHostCleaned));
  return round.wait(
      condition::kHostCleaned, "HandingOver",
      "Creating pod " + pod_name(round) + ", which hands the cleaning over to the machine");
}

/// What keeps the pod from handing over; empty when nothing is known.
std::string what_keeps_it(const Round& round) {
  const auto& pod = round.seen.hand_over_pod;
  if (!pod) return {};
  if (!*pod) return pod->error();
  return **pod ? (**pod)->waiting : round.seen.action_error;
}

Step hand_over(Round& round) {
  const auto& fact = round.seen.hand_over_pod;
  if (!fact) return round.need(FactName::HandOverPod, fact);
  const auto* pod = known(fact);
  if (pod != nullptr && *pod && (*pod)->is_finished()) return take_hand_over(round, **pod);
  const auto limit = round.spec().host_cleanup.timeout_seconds;
  if (round.timed_out(condition::kHostCleaned, limit)) {
    return give_up_start(round, "pod " + pod_name(round) +
                                    " had not handed the cleaning over to the machine" +
                                    in_brackets(what_keeps_it(round)));
  }
  if (pod == nullptr) return round.need(FactName::HandOverPod, fact);
  if (!*pod) return make_pod(round);
  round.requeue_after(round.poll_interval(condition::kHostCleaned));
  const auto& why = (*pod)->waiting;
  return round.wait(condition::kHostCleaned, "HandingOver",
                    "Waiting for pod " + pod_name(round) +
                        ", which hands the cleaning over to the machine" +
                        (why.empty() ? "" : ": " + why));
}

/// The machine has its own time, and is not asked to hurry.
Step await_report(Round& round) {
  const auto& annotations = round.node().meta.annotations;
  const auto found = annotations.find(std::string{crd::kHostCleanupReportAnnotation});
  if (found != annotations.end()) {
    const auto report = crd::host_report_from_text(found->second);
    if (report && report->uid == round.removal().meta.uid) return conclude(round, *report);
  }
  const auto limit = round.spec().host_cleanup.timeout_seconds;
  if (round.timed_out(condition::kHostCleaned, limit)) {
    return not_cleaned(round, "NoReport",
                       "The machine was told to clean itself and has not said within " +
                           std::to_string(limit) + " s what became of it. See " + files(round) +
                           "/result.json on it. " + by_hand(round));
  }
  return round.wait(condition::kHostCleaned, "Cleaning",
                    "The machine is cleaning itself; its kubelet is stopped for that");
}

Step clean_now(Round& round) {
  if (round.policy.host_cleanup_namespace.empty()) {
    return not_cleaned(
        round, "HostCleanupDisabled",
        "The operator was installed anew without the right to clean machines. " + untouched(round));
  }
  return round.node().is_ready() ? hand_over(round) : wait_for_machine(round);
}

}  // namespace

bool host_cleanup_was_started(const crd::Node& node, const std::string& removal_uid) {
  const auto found = node.meta.annotations.find(std::string{crd::kHostCleanupStartAnnotation});
  return found != node.meta.annotations.end() && found->second == removal_uid;
}

Step await_host_report(Round& round) {
  const auto& uid = round.removal().meta.uid;
  const bool enabled = round.spec().host_cleanup.enabled;
  if (!enabled || !host_cleanup_was_started(round.node(), uid)) return Step::Next;
  // Without the announcement in status it was somebody else who wrote on the Node.
  return start_is_announced(round) ? await_report(round) : Step::Next;
}

Step clean_host(Round& round) {
  if (!round.spec().host_cleanup.enabled) return Step::Next;
  const auto* cleaned = settled(round);
  if (cleaned != nullptr && cleaned->reason == "HostUnreachable" && round.node().is_ready()) {
    round.status().conditions.remove(condition::kHostCleaned);
    cleaned = nullptr;
  }
  if (cleaned == nullptr && clean_now(round) == Step::Wait) return Step::Wait;
  if (remove_hand_over_pod(round)) return Step::Next;
  return round.need(FactName::HandOverPod, round.seen.hand_over_pod);
}

bool remove_hand_over_pod(Round& round) {
  const bool begun = round.status().conditions.find(condition::kHostCleaned) != nullptr;
  if (!begun || round.policy.host_cleanup_namespace.empty()) return true;
  const auto* pod = known(round.seen.hand_over_pod);
  if (pod == nullptr) {
    if (!round.seen.hand_over_pod) round.decision.needs.insert(FactName::HandOverPod);
    round.requeue_after(5s);
    return false;
  }
  if (*pod && !(*pod)->terminating) {
    round.decision.actions.emplace_back(
        DeleteHandOverPod{{.ns = round.policy.host_cleanup_namespace,
                           .name = hand_over_pod_name(round.removal()),
                           .uid = (*pod)->uid}});
  }
  return true;
}

}  // namespace reconcilers
