#include "reconcilers/removal_progress.hpp"

#include <algorithm>
#include <array>

namespace reconcilers {
namespace {

using crd::ConditionStatus;
namespace condition = crd::condition;
using std::chrono::milliseconds;

/// Reasons of a condition that is True although the step was not ours to do.
constexpr std::array kNotDone{"GoneAlready", "NotAwaited", "Planned"};

/// The blockers may be older than the word that was given.
bool needs_fencing(const crd::NodeRemovalStatus& status) {
  if (!status.evidence || status.evidence->fenced) return false;
  constexpr std::string_view kReason = "NeedsFencing";
  const auto* summary = status.conditions.find(condition::kSucceeded);
  return (summary != nullptr && summary->reason == kReason) ||
         std::ranges::find(status.blockers, kReason, &crd::Blocker::reason) !=
             status.blockers.end();
}

milliseconds between(crd::TimePoint begin, crd::TimePoint end) {
  return std::max(end - begin, milliseconds{0});  // a clock may have been set back
}

/// nullopt unless the step is done now and was not before.
std::optional<milliseconds> duration_of(const crd::Condition* before, const crd::Condition* now) {
  if (now == nullptr || now->status != ConditionStatus::True) return std::nullopt;
  if (before != nullptr && before->status == ConditionStatus::True) return std::nullopt;
  if (std::ranges::find(kNotDone, now->reason) != kNotDone.end()) return std::nullopt;
  const bool was_under_way = before != nullptr && before->status == ConditionStatus::Unknown;
  return was_under_way ? between(before->last_transition_time, now->last_transition_time)
                       : milliseconds{0};
}

}  // namespace

std::string_view path_of(const crd::NodeRemovalStatus& status) {
  if (status.conditions.find(condition::kTerminatingPodsCleared) != nullptr) return kDeadPath;
  const auto* drained = status.conditions.find(condition::kDrained);
  return drained != nullptr && drained->reason == "NodeNotReady" ? kDeadPath : kDrainPath;
}

RemovalProgress::RemovalProgress(const crd::NodeRemoval& removal)
    : dead_(removal.status.evidence &&
            removal.status.conditions.find(condition::kTerminatingPodsCleared) != nullptr),
      fencing_owed_(needs_fencing(removal.status)) {
  remember(removal);
}

void RemovalProgress::remember(const crd::NodeRemoval& removal) {
  resource_version_ = removal.meta.resource_version;
  conditions_ = removal.status.conditions;
  path_ = path_of(removal.status);
  start_time_ = removal.is_group() ? std::nullopt : removal.status.start_time;
  ended_ = removal.status.is_terminal();
}

RemovalNews RemovalProgress::go_on(const crd::NodeRemoval& removal) {
  RemovalNews news;
  if (removal.meta.resource_version == resource_version_) return news;
  const auto& status = removal.status;
  news.path = path_of(status);
  if (!removal.is_group()) {
    for (const auto type : kSteps) {
      const auto duration = duration_of(conditions_.find(type), status.conditions.find(type));
      if (duration) news.steps.push_back({type, news.path, *duration});
    }
    news.node_deleted = std::ranges::find(news.steps, condition::kNodeDeleted,
                                          &RemovalNews::Step::type) != news.steps.end();
    tell_of_death(status, news);
  }
  const bool had_ended = ended_;
  remember(removal);
  const auto* summary = status.conditions.find(condition::kSucceeded);
  if (ended_ && !had_ended && summary != nullptr) {
    news.end = {.outcome = summary->status == ConditionStatus::True ? "Succeeded" : "Failed",
                .reason = summary->reason,
                .path = path_,
                .duration = {}};
    if (start_time_ && status.completion_time) {
      news.end->duration = between(*start_time_, *status.completion_time);
    }
  }
  return news;
}

void RemovalProgress::tell_of_death(const crd::NodeRemovalStatus& status, RemovalNews& news) {
  // True at once means that no pod was left to decide about.
  const bool judged = status.evidence && status.conditions.is(condition::kTerminatingPodsCleared,
                                                              ConditionStatus::Unknown);
  news.declared_dead = judged && !dead_;
  news.recovered = dead_ && !status.evidence;
  dead_ = (dead_ || judged) && status.evidence;
  if (!status.evidence || status.evidence->fenced) fencing_owed_ = false;
  news.needs_fencing = needs_fencing(status) && !fencing_owed_;
  fencing_owed_ = fencing_owed_ || news.needs_fencing;
}

std::optional<RemovalNews::End> RemovalProgress::cancelled(crd::TimePoint now) const {
  if (ended_) return std::nullopt;
  RemovalNews::End end{
      .outcome = "Cancelled", .reason = "Cancelled", .path = path_, .duration = {}};
  if (start_time_) end.duration = between(*start_time_, now);
  return end;
}

}  // namespace reconcilers
