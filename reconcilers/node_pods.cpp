#include "reconcilers/node_pods.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "reconcilers/messages.hpp"

namespace reconcilers {

namespace {

/// The pod was started here after the cordon while one of the same controller is still leaving. It
/// waits until that one is gone: a controller that starts its pods past the scheduler would
/// otherwise make a new one for each that is told to leave.
bool follows_a_leaving_one(const crd::Pod& pod, const std::vector<crd::Pod>& pods,
                           std::optional<crd::TimePoint> cordoned_at) {
  const auto* owner = pod.meta.controller();
  const auto& created = pod.meta.creation_timestamp;
  if (!cordoned_at || owner == nullptr || !created || *created < *cordoned_at) return false;
  return std::ranges::any_of(pods, [&](const crd::Pod& other) {
    const auto* its_owner = other.meta.controller();
    return other.is_terminating() && its_owner != nullptr && its_owner->uid == owner->uid;
  });
}

/// Later than now, but not so much later that only a clock that was set back can have put it there.
bool is_to_come(const Round& round, crd::TimePoint time) {
  constexpr std::chrono::seconds kLongestPause{61};
  return round.now < time && time <= round.now + kLongestPause;
}

}  // namespace

NodePods sort_pods(const std::vector<crd::Pod>& pods, const crd::DrainSpec& drain,
                   std::optional<crd::TimePoint> cordoned_at) {
  NodePods result;
  for (const auto& pod : pods) {
    auto verdict = classify(pod, drain, cordoned_at);
    const bool leaves_now = verdict.pod_class == PodClass::Leaves && !pod.is_terminating();
    if (leaves_now && follows_a_leaving_one(pod, pods, cordoned_at)) {
      verdict = {PodClass::ComesBack, "StartedAgain",
                 "it was started on the cordoned node while its predecessor is still leaving; it "
                 "is told to leave when that is gone"};
    }
    if (verdict.pod_class == PodClass::Stays) {
      ++result.staying;
    } else {
      auto& kind = verdict.pod_class == PodClass::LeftOut ? result.left_out : result.leaving;
      kind.push_back({pod, std::move(verdict)});
    }
  }
  return result;
}

void Blockers::add(const crd::Pod& pod, std::string reason, std::string message, std::string pdb) {
  found_.push_back({.pod = pod.full_name(),
                    .uid = pod.meta.uid,
                    .reason = std::move(reason),
                    .message = std::move(message),
                    .pdb = std::move(pdb),
                    .since = {}});
}

bool Blockers::has(std::string_view reason) const {
  return std::ranges::find(found_, reason, &crd::Blocker::reason) != found_.end();
}

std::string Blockers::summary() const {
  std::vector<std::string> texts;
  texts.reserve(found_.size());
  for (const auto& blocker : found_) {
    texts.push_back(blocker.pod + " (" + blocker.reason + ": " + blocker.message + ")");
  }
  std::ranges::sort(texts);
  return name_some(texts);
}

void Blockers::write(Round& round) const {
  auto blockers = found_;
  for (auto& blocker : blockers) {
    const auto& before = round.removal().status.blockers;
    const auto same = std::ranges::find_if(before, [&](const crd::Blocker& old) {
      return old.uid == blocker.uid && old.reason == blocker.reason;
    });
    blocker.since =
        same == before.end() ? std::chrono::floor<std::chrono::seconds>(round.now) : same->since;
  }
  std::ranges::sort(blockers, {}, [](const crd::Blocker& blocker) {
    return std::tie(blocker.since, blocker.pod, blocker.uid);
  });
  const auto kept = std::min(blockers.size(), crd::kMaxBlockers);
  round.status().blockers_omitted = static_cast<std::int64_t>(blockers.size() - kept);
  blockers.resize(kept);
  round.status().blockers = std::move(blockers);
  if (round.status().pods) {
    round.status().pods->blocked = static_cast<std::int64_t>(found_.size());
  }
}

void stand_still(Round& round) {
  Blockers{}.write(round);
  round.restart_clocks();
}

bool is_pausing(Round& round, const crd::Pod& pod,
                const std::map<std::string, crd::TimePoint>& sent, Blockers& blockers) {
  const auto accepted = sent.find(pod.meta.uid);
  if (accepted != sent.end() && is_to_come(round, accepted->second)) {
    round.requeue_at(accepted->second);
    return true;
  }
  const auto refused = round.seen.refusals.find(pod.meta.uid);
  if (refused == round.seen.refusals.end()) return false;
  const auto& refusal = refused->second;
  blockers.add(pod, refusal.reason, refusal.message, refusal.pdb);
  if (!is_to_come(round, refusal.retry_at)) return false;
  round.requeue_at(refusal.retry_at);
  return true;
}

bool is_budget_reason(std::string_view reason) {
  return reason == "PodDisruptionBudget" || reason == "MultiplePodDisruptionBudgets";
}

void write_counts(Round& round, const NodePods& pods, std::size_t blocked) {
  const auto remaining = static_cast<std::int64_t>(pods.leaving.size());
  const auto before = round.removal().status.pods.value_or(crd::PodCounts{});
  const auto total = std::max(before.total, before.evicted + remaining);
  round.status().pods =
      crd::PodCounts{.total = total,
                     .evicted = total - remaining,
                     .terminating = std::ranges::count_if(
                         pods.leaving, [](const auto& p) { return p.pod.is_terminating(); }),
                     .blocked = static_cast<std::int64_t>(blocked),
                     .remaining = remaining,
                     .skipped = static_cast<std::int64_t>(pods.staying + pods.left_out.size())};
}

crd::TimePoint overdue_at(const crd::Pod& pod, const Round& round) {
  const std::chrono::seconds grace{pod.meta.deletion_grace_period_seconds.value_or(0)};
  return std::max(*pod.meta.deletion_timestamp, round.time.even_since + grace) +
         round.policy.overdue_margin;
}

std::string overdue_message(const crd::Pod& pod) {
  if (!pod.meta.finalizers.empty()) {
    return "it is terminating and waits for the controller of its finalizer " +
           name_some(pod.meta.finalizers) + "; see whether that controller runs";
  }
  return "its grace period is over and the kubelet has not confirmed that it stopped; look at the "
         "kubelet and the "
         "container runtime of the node";
}

}  // namespace reconcilers
