#include "reconcilers/events.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "reconcilers/messages.hpp"

namespace reconcilers {
namespace {

using crd::Condition;
using crd::ConditionStatus;
using On = EventNote::On;
namespace condition = crd::condition;

/// Reasons of a removal in progress that it does not get out of by itself.
constexpr std::array kNeedAttention{
    "ClaimedByOther", "LastControlPlaneNode", "LastSchedulableNode",  "NodeProtected",
    "NodeRejoined",   "SpecChanged",          "TooManyNodesNotReady", "Uncordoned"};
/// The same, where status.blockers says what is in the way.
constexpr std::array kBlocked{"Blocked", "DrainBlocked", "NeedsFencing", "PodsLeftOut"};

bool is_one_of(std::string_view reason, const auto& reasons) {
  return std::ranges::find(reasons, reason) != reasons.end();
}

/// One write of status.
class Change {
 public:
  Change(const crd::NodeRemoval& before, const crd::NodeRemovalStatus& after)
      : removal(before), then(before.status), now(after) {}

  const crd::NodeRemoval& removal;
  const crd::NodeRemovalStatus& then;
  const crd::NodeRemovalStatus& now;

  const std::string& node() const { return removal.spec.node_name; }
  /// The condition, if this write gave it this status.
  const Condition* became(std::string_view type, ConditionStatus status) const {
    const auto* condition = now.conditions.find(type);
    const bool is_new =
        condition != nullptr && condition->status == status && !then.conditions.is(type, status);
    return is_new ? condition : nullptr;
  }
};

/// The cleaning of the machine: told to begin, and what became of it.
void add_cleanup(const Change& change, std::vector<EventNote>& events) {
  constexpr std::string_view kStarted = "Cleaning";
  const auto* before = change.then.conditions.find(condition::kHostCleaned);
  const auto* after = change.now.conditions.find(condition::kHostCleaned);
  if (after == nullptr ||
      (before != nullptr && before->status == after->status && before->reason == after->reason)) {
    return;
  }
  const bool over = after->status != ConditionStatus::Unknown;
  if (!over && after->reason != kStarted) return;
  const bool planned = after->reason == "DryRun";
  const bool failed = after->status == ConditionStatus::False && !planned;
  events.push_back({.on = On::Both,
                    .warning = failed,
                    .reason = !over     ? "HostCleanupStarted"
                              : planned ? "HostCleanupPlanned"
                              : failed  ? "HostNotCleaned"
                                        : "HostCleaned",
                    .action = "CleanHost",
                    .note = failed ? after->reason + ": " + after->message : after->message});
}

void add_steps(const Change& change, std::vector<EventNote>& events) {
  const auto* accepted = change.became(condition::kAccepted, ConditionStatus::True);
  if (accepted != nullptr && accepted->reason == "Accepted") {
    events.push_back({.reason = accepted->reason, .action = "Accept", .note = accepted->message});
  }
  if (const auto* cordoned = change.became(condition::kCordoned, ConditionStatus::True)) {
    const bool before = cordoned->reason == "AlreadyCordoned";
    events.push_back(
        {.on = On::Both,
         .reason = cordoned->reason,
         .action = "Cordon",
         .note = cordoned->message + (before ? "; it was cordoned before, and stays so after a "
                                               "cancel"
                                             : "; a cancel makes it schedulable again")});
  }
  for (const auto& [type, reason] : {std::pair{condition::kPodsMigrated, "MigrationTimedOut"},
                                     std::pair{condition::kVolumesDetached, "VolumesTimedOut"}}) {
    const auto* late = change.became(type, ConditionStatus::False);
    if (late == nullptr || late->reason != "TimedOut" || change.now.is_terminal()) continue;
    events.push_back({.warning = true,
                      .reason = reason,
                      .action = "GoOn",
                      .note = late->message + ". The removal goes on."});
  }
  add_cleanup(change, events);
  if (const auto* deleted = change.became(condition::kNodeDeleted, ConditionStatus::True)) {
    const bool by_us = deleted->reason == "Deleted";
    events.push_back({.reason = by_us ? "NodeDeleted" : deleted->reason,
                      .action = "DeleteNode",
                      .note = deleted->message + " (UID " + change.now.node_uid + ")"});
  }
}

/// The operator acts on it: the node has been silent for long enough, and no brake holds.
bool is_judged_dead(const crd::NodeRemovalStatus& status) {
  const auto* clearing = status.conditions.find(condition::kTerminatingPodsCleared);
  return clearing != nullptr && clearing->status == ConditionStatus::Unknown &&
         clearing->reason != "TooManyNodesNotReady";
}

std::string describe(const crd::Evidence& evidence) {
  auto text = "NotReady since " + crd::to_rfc3339(evidence.not_ready_since) + " (Ready is " +
              std::string{crd::to_string(evidence.ready)};
  if (!evidence.reason.empty()) text += ", " + evidence.reason;
  if (!evidence.message.empty()) text += ": " + evidence.message;
  text += "), seen so since " + crd::to_rfc3339(evidence.observed_since);
  return text + (evidence.fenced ? ", and asserted to be off by " + evidence.fenced_by : "");
}

void add_health(const Change& change, std::vector<EventNote>& events) {
  const auto& before = change.then.evidence;
  const auto& after = change.now.evidence;
  const auto waits_for_it = [](const crd::NodeRemovalStatus& status) {
    const auto* summary = status.conditions.find(condition::kSucceeded);
    return summary != nullptr && summary->reason == "NodeNotReady";
  };
  if (waits_for_it(change.now) && !waits_for_it(change.then)) {
    events.push_back({.on = On::Both,
                      .warning = true,
                      .reason = "NodeNotReady",
                      .action = "Wait",
                      .note = change.now.conditions.find(condition::kSucceeded)->message});
  }
  if (after && is_judged_dead(change.now) && !is_judged_dead(change.then)) {
    events.push_back({.on = On::Both,
                      .warning = true,
                      .reason = "DeadNode",
                      .action = "DeletePods",
                      .note = "Node " + change.node() + " is judged dead: " + describe(*after) +
                              ". Its pods are deleted instead of evicted."});
  }
  const auto* drained = change.then.conditions.find(condition::kDrained);
  if (before && !after && drained != nullptr && drained->reason == "NodeNotReady") {
    events.push_back({.on = On::Both,
                      .reason = "NodeRecovered",
                      .action = "Drain",
                      .note = "Node " + change.node() + " is Ready again; it was NotReady since " +
                              crd::to_rfc3339(before->not_ready_since) + "."});
  }
}

crd::PodRef pod_of(const crd::Blocker& blocker) {
  const auto slash = blocker.pod.find('/');
  if (slash == std::string::npos) return {.ns = {}, .name = blocker.pod, .uid = blocker.uid};
  return {.ns = blocker.pod.substr(0, slash),
          .name = blocker.pod.substr(slash + 1),
          .uid = blocker.uid};
}

EventNote blocked_by(const crd::Blocker& example, std::size_t pods, const Condition& summary) {
  std::string reason = summary.reason;
  const bool fencing = example.reason == "NeedsFencing";
  if (fencing || reason == "NeedsFencing") reason = fencing ? example.reason : "Blocked";
  return {.on = On::Both,
          .warning = true,
          .reason = std::move(reason),
          .action = "Wait",
          .note = example.reason + " blocks " + count_of(pods, "pod") +
                  (pods == 1 ? ", " : ", such as ") + example.pod + ": " + example.message,
          .topic = example.reason,
          .pod = pod_of(example)};
}

/// One for each reason for which no pod was blocked before.
void add_blockers(const Change& change, const Condition& summary, std::vector<EventNote>& events) {
  const auto with = [](const std::vector<crd::Blocker>& blockers, const std::string& reason) {
    return static_cast<std::size_t>(std::ranges::count(blockers, reason, &crd::Blocker::reason));
  };
  std::vector<std::string> told;
  for (const auto& blocker : change.now.blockers) {
    if (with(change.then.blockers, blocker.reason) > 0 || is_one_of(blocker.reason, told)) continue;
    told.push_back(blocker.reason);
    events.push_back(blocked_by(blocker, with(change.now.blockers, blocker.reason), summary));
  }
}

void add_attention(const Change& change, const Condition& summary, std::vector<EventNote>& events) {
  if (is_one_of(summary.reason, kBlocked)) return add_blockers(change, summary, events);
  const auto* before = change.then.conditions.find(condition::kSucceeded);
  const bool news = before == nullptr || before->reason != summary.reason;
  if (!news || !is_one_of(summary.reason, kNeedAttention)) return;
  events.push_back({.on = summary.reason == "Uncordoned" ? On::Both : On::Removal,
                    .warning = true,
                    .reason = summary.reason,
                    .action = "Wait",
                    .note = summary.message});
}

void add_end(const Change& change, const Condition& summary, std::vector<EventNote>& events) {
  const bool failed = summary.status == ConditionStatus::False;
  const bool node_was_touched = change.now.conditions.find(condition::kCordoned) != nullptr;
  const bool node_stays = failed || summary.reason == "Drained";
  events.push_back({.on = node_was_touched && node_stays ? On::Both : On::Removal,
                    .warning = failed,
                    .is_end = true,
                    .reason = summary.reason,
                    .action = "Finish",
                    .note = summary.message});
  if (!change.removal.ignores_ttl()) return;
  events.push_back({.warning = true,
                    .reason = "TTLIgnored",
                    .action = "Keep",
                    .note = std::string{kTtlIgnored}});
}

std::string node_afterwards(const std::optional<crd::Node>& node, const std::string& bound_uid,
                            bool uncordoned) {
  if (!node || node->meta.uid != bound_uid) return "is gone";
  return node->unschedulable && !uncordoned ? "stays cordoned" : "takes new pods";
}

EventNote released(const crd::NodeRemoval& removal, const Release& release,
                   const std::optional<crd::Node>& node) {
  const auto* summary = removal.status.conditions.find(condition::kSucceeded);
  const bool cancelled = !removal.status.is_terminal();
  return {.on = On::Node,
          .is_end = true,
          .reason = "Released",
          .action = release.uncordon ? "Uncordon" : "Release",
          .note = (cancelled ? "Cancelled" : "Ended with " + summary->reason) + std::string{": "} +
                  "Node " + release.node + " " +
                  node_afterwards(node, release.uid, release.uncordon)};
}

EventNote cancelled(const crd::NodeRemoval& removal, const std::optional<crd::Node>& node) {
  const auto pods = removal.status.pods.value_or(crd::PodCounts{});
  const auto progress = "after " + std::to_string(pods.evicted) + " of " +
                        count_of(static_cast<std::size_t>(pods.total), "pod") + " had left";
  return {.is_end = true,
          .reason = "Cancelled",
          .action = "Cancel",
          .note = "This NodeRemoval was deleted " + (pods.total > 0 ? progress : "before its end") +
                  ". Node " + removal.spec.node_name + " " +
                  node_afterwards(node, removal.status.node_uid, false)};
}

}  // namespace

std::vector<EventNote> events_between(const crd::NodeRemoval& before,
                                      const crd::NodeRemovalStatus& after) {
  const auto* summary = after.conditions.find(condition::kSucceeded);
  if (summary == nullptr || before.status.is_terminal()) return {};
  const Change change{before, after};
  std::vector<EventNote> events;
  add_steps(change, events);
  add_health(change, events);
  if (after.is_terminal()) {
    add_end(change, *summary, events);
  } else {
    add_attention(change, *summary, events);
  }
  return events;
}

std::vector<EventNote> events_of(const crd::NodeRemoval& removal, const std::vector<Action>& done,
                                 const std::optional<crd::Node>& node) {
  std::vector<EventNote> events;
  for (const auto& action : done) {
    if (const auto* release = std::get_if<Release>(&action)) {
      events.push_back(released(removal, *release, node));
    } else if (std::holds_alternative<RemoveFinalizer>(action) && !removal.status.is_terminal()) {
      events.push_back(cancelled(removal, node));
    }
  }
  return events;
}

}  // namespace reconcilers
