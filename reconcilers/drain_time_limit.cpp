#include "reconcilers/drain_time_limit.hpp"

#include <algorithm>
#include <chrono>

namespace reconcilers {
namespace {

namespace condition = crd::condition;
using std::chrono::seconds;
using namespace std::chrono_literals;

seconds grace_of(const crd::Pod& pod, const crd::DrainSpec& drain) {
  return seconds{
      std::max<std::int64_t>(drain.grace_period_seconds.value_or(pod.grace_period_seconds), 1)};
}

/// nullopt: there is no limit, or the drain has not begun.
std::optional<crd::TimePoint> end_of_drain(const Round& round) {
  const auto limit = round.spec().drain.timeout_seconds;
  const auto start = round.began(condition::kDrained);
  if (!start || limit <= 0) return std::nullopt;
  return *start + seconds{limit};
}

}  // namespace

std::optional<std::int64_t> grace_to_ask_for(const crd::Pod& pod, const crd::DrainSpec& drain) {
  if (drain.grace_period_seconds) return drain.grace_period_seconds;
  if (pod.grace_period_seconds < 1) return 1;
  return std::nullopt;
}

std::optional<Evict> delete_before_time_limit(Round& round, const crd::Pod& pod) {
  const auto end = end_of_drain(round);
  if (!end || round.spec().drain.on_timeout != crd::DrainTimeoutAction::Delete) return std::nullopt;
  if (pod.is_terminating()) {
    // It was told to leave so late that its grace period would outlast the limit.
    if (*pod.meta.deletion_timestamp <= std::max(*end, round.now) + 1s) return std::nullopt;
    if (round.now >= *end) return Evict{pod.ref(), 1, true};
    round.requeue_at(*end);
    return std::nullopt;
  }
  const auto grace = grace_of(pod, round.spec().drain);
  const auto half = *end - seconds{round.spec().drain.timeout_seconds} / 2;
  const auto delete_at = std::max<crd::TimePoint>(*end - grace, half);
  if (round.now < delete_at) {
    round.requeue_at(delete_at);
    return std::nullopt;
  }
  const auto left = std::chrono::floor<seconds>(*end - round.now);
  return Evict{pod.ref(), std::clamp<seconds>(left, 1s, grace).count(), true};
}

bool drain_is_over(Round& round, bool needs_word) {
  const auto end = end_of_drain(round);
  if (!end) return false;
  const bool deletes = round.spec().drain.on_timeout == crd::DrainTimeoutAction::Delete;
  const crd::TimePoint over = *end + (deletes && !needs_word ? round.policy.overdue_margin : 0s);
  if (round.now >= over) return true;
  round.requeue_at(over);
  return false;
}

}  // namespace reconcilers
