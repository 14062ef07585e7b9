#include "reconcilers/removal_series.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "reconcilers/reasons.hpp"
#include "reconcilers/removal_progress.hpp"

namespace reconcilers {
namespace {

using crd::ConditionStatus;
namespace condition = crd::condition;

bool has_begun(const crd::NodeRemoval& removal) {
  return removal.status.conditions.is_true(condition::kAccepted);
}

RemovalSeries::Summary summary_of(const crd::NodeRemoval& removal) {
  const auto* summary = removal.status.conditions.find(condition::kSucceeded);
  if (summary == nullptr) return {ConditionStatus::Unknown, std::string{kPending}};
  return {summary->status, summary->reason};
}

/// The reason itself changes back and forth; its step began when the condition with this reason
/// turned. What only the summary says began at the earliest when the last step was done.
crd::TimePoint step_began(const crd::NodeRemoval& removal, const std::string& reason) {
  auto latest = removal.meta.creation_timestamp.value_or(crd::TimePoint{});
  for (const auto& one : removal.status.conditions.all()) {
    if (std::ranges::find(kSteps, one.type) == kSteps.end()) continue;
    if (one.reason == reason) return one.last_transition_time;
    latest = std::max(latest, one.last_transition_time);
  }
  return latest;
}

std::set<std::string> decisions_owed(const crd::NodeRemoval& removal, const std::string& reason) {
  std::set<std::string> owed;
  if (removal.is_being_deleted()) return owed;
  const auto add = [&](const std::string& each) {
    if (std::ranges::find(reasons::kDecisions, each) != reasons::kDecisions.end()) {
      owed.insert(each);
    }
  };
  add(reason);
  for (const auto& blocker : removal.status.blockers) add(blocker.reason);
  return owed;
}

std::map<std::string, crd::TimePoint> blocked_since(const crd::NodeRemoval& removal) {
  std::map<std::string, crd::TimePoint> since;
  if (removal.is_being_deleted()) return since;
  for (const auto& blocker : removal.status.blockers) {
    const auto [found, is_new] = since.try_emplace(blocker.reason, blocker.since);
    if (!is_new) found->second = std::min(found->second, blocker.since);
  }
  return since;
}

ActiveRemoval active_removal(const crd::NodeRemoval& removal) {
  const auto reason = summary_of(removal).reason;
  return {.name = removal.meta.name,
          .node = removal.spec.node_name,
          .step = reason,
          .path = path_of(removal.status),
          .step_began = step_began(removal, reason),
          .pods = removal.status.pods,
          .blocked_since = blocked_since(removal),
          .decisions = decisions_owed(removal, reason)};
}

void add_blockers(const crd::NodeRemoval& removal, crd::TimePoint now, RemovalSeries& series) {
  if (removal.is_being_deleted()) return;
  for (const auto& blocker : removal.status.blockers) {
    ++series.blocked_pods[blocker.reason];
    series.oldest_blocked_age = std::max(series.oldest_blocked_age, now - blocker.since);
  }
  series.blocked_pods[std::string{kNotListed}] += removal.status.blockers_omitted;
}

}  // namespace

RemovalSeries no_removal_series() {
  RemovalSeries series;
  for (const auto reason : reasons::kSucceeded) {
    series.removals[{ConditionStatus::True, std::string{reason}}] = 0;
  }
  for (const auto reason : reasons::kFailed) {
    series.removals[{ConditionStatus::False, std::string{reason}}] = 0;
  }
  for (const auto reason : reasons::kWaiting) {
    series.removals[{ConditionStatus::Unknown, std::string{reason}}] = 0;
  }
  series.removals[{ConditionStatus::Unknown, std::string{kPending}}] = 0;
  for (const auto reason : reasons::kBlockers) series.blocked_pods[std::string{reason}] = 0;
  series.blocked_pods[std::string{kNotListed}] = 0;
  for (const auto reason : reasons::kDecisions) series.decisions_owed[std::string{reason}] = 0;
  return series;
}

RemovalSeries removal_series(const std::map<std::string, crd::NodeRemoval>& removals,
                             const Policy& policy, crd::TimePoint now) {
  auto series = no_removal_series();
  series.max_nodes = policy.max_concurrent_removals;
  std::vector<const crd::NodeRemoval*> active;
  for (const auto& [name, removal] : removals) {
    const auto summary = summary_of(removal);
    ++series.removals[summary];
    if (removal.status.is_terminal()) continue;
    for (const auto& decision : decisions_owed(removal, summary.reason)) {
      ++series.decisions_owed[decision];
    }
    if (removal.is_group()) continue;
    active.push_back(&removal);
    add_blockers(removal, now, series);
    if (summary.reason == "TooManyNodesNotReady") series.brake_engaged = true;
    if (has_begun(removal)) ++series.nodes_under_way;
  }
  std::ranges::sort(active, {}, [](const crd::NodeRemoval* removal) {
    return std::tuple{!has_begun(*removal), removal->meta.creation_timestamp, removal->meta.name};
  });
  const auto told = std::min(active.size(), RemovalSeries::kMaxActive);
  series.not_exported = static_cast<std::int64_t>(active.size() - told);
  active.resize(told);
  std::ranges::transform(active, std::back_inserter(series.active),
                         [](const auto* removal) { return active_removal(*removal); });
  return series;
}

}  // namespace reconcilers
