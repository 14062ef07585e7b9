#include "reconcilers/round.hpp"

#include <algorithm>
#include <utility>

#include "reconcilers/messages.hpp"

namespace reconcilers {

using crd::ConditionStatus;

Round::Round(const Observation& observation, const Policy& operator_policy, crd::WallTime clock)
    : seen(observation), policy(operator_policy), time(clock), now(clock.now) {
  decision.status = observation.removal.status;
  decision.status.observed_generation = observation.removal.meta.generation;
  decision.status.conditions.set_generation(observation.removal.meta.generation);
}

void Round::set(std::string_view type, ConditionStatus status, std::string_view reason,
                std::string message) {
  decision.status.conditions.set(type, status, reason, std::move(message), now,
                                 removal().meta.generation);
}

void Round::pass(std::string_view type, std::string_view reason, std::string message) {
  set(type, ConditionStatus::True, reason, std::move(message));
}

Step Round::wait(std::string_view type, std::string_view reason, std::string message) {
  set(type, ConditionStatus::Unknown, reason, message);
  return wait(reason, std::move(message));
}

Step Round::wait(std::string_view reason, std::string message) {
  set(crd::condition::kReconciling, ConditionStatus::True, reason, message);
  set(crd::condition::kStalled, ConditionStatus::False, reason, "The removal is in progress");
  set(crd::condition::kSucceeded, ConditionStatus::Unknown, reason, std::move(message));
  return Step::Wait;
}

void Round::add_failure_to_summary(const std::string& error) {
  // What an earlier round added is replaced, or the message would grow with every attempt.
  constexpr std::string_view kLastAttempt = " The last attempt failed: ";
  const auto* summary = decision.status.conditions.find(crd::condition::kSucceeded);
  if (summary == nullptr || summary->status != ConditionStatus::Unknown) return;
  wait(std::string{summary->reason},
       summary->message.substr(0, summary->message.find(kLastAttempt)) + std::string{kLastAttempt} +
           error);
}

Step Round::wait_for_unknown(const std::string& why) {
  requeue_after(std::chrono::seconds{5});
  return wait("ApiUnavailable", "Waiting for the API server: " + why);
}

std::optional<crd::TimePoint> Round::began(std::string_view type) const {
  const auto* condition = decision.status.conditions.find(type);
  if (condition == nullptr || condition->status != ConditionStatus::Unknown) return std::nullopt;
  return condition->last_transition_time;
}

void Round::restart_clocks() {
  for (const auto type :
       {crd::condition::kDrained, crd::condition::kPodsMigrated, crd::condition::kVolumesDetached,
        crd::condition::kTerminatingPodsCleared}) {
    if (began(type)) status().conditions.remove(type);
  }
}

void Round::mend_times() {
  status().conditions.move_times([&](const crd::Condition& condition) {
    const auto possible = std::min(condition.last_transition_time, now);
    return condition.status == ConditionStatus::Unknown ? std::max(possible, time.even_since)
                                                        : possible;
  });
  if (auto& evidence = status().evidence) {
    const auto possible = std::min<crd::TimePoint>(evidence->observed_since,
                                                   std::chrono::floor<std::chrono::seconds>(now));
    evidence->observed_since = std::max(possible, time.even_since);
  }
}

bool Round::timed_out(std::string_view type, std::int64_t seconds) {
  const auto start = began(type);
  if (!start || seconds <= 0) return false;
  const auto deadline = *start + std::chrono::seconds{seconds};
  if (now >= deadline) return true;
  requeue_at(deadline);
  return false;
}

std::chrono::milliseconds Round::poll_interval(std::string_view type) const {
  using namespace std::chrono_literals;
  const auto start = began(type);
  const std::chrono::milliseconds elapsed = start ? now - *start : 0ms;
  return std::clamp<std::chrono::milliseconds>(elapsed / 4, 250ms, 5s);
}

void Round::requeue_after(std::chrono::milliseconds delay) {
  delay = std::max(delay, std::chrono::milliseconds{10});
  if (!decision.requeue || delay < *decision.requeue) decision.requeue = delay;
}

Step Round::succeed(std::string_view reason, std::string message) {
  return finish(ConditionStatus::True, reason, std::move(message));
}

Step Round::fail(std::string_view reason, std::string message) {
  return finish(ConditionStatus::False, reason, std::move(message));
}

Step Round::finish(ConditionStatus succeeded, std::string_view reason, std::string message) {
  decision.actions.clear();
  decision.requeue.reset();
  const bool failed = succeeded == ConditionStatus::False;
  if (removal().ignores_ttl()) {
    message += " " + std::string{kTtlIgnored};
  }
  set(crd::condition::kReconciling, ConditionStatus::False, reason, "The removal is finished");
  set(crd::condition::kStalled, failed ? ConditionStatus::True : ConditionStatus::False, reason,
      message);
  set(crd::condition::kSucceeded, succeeded, reason, std::move(message));
  if (!status().completion_time) status().completion_time = now;
  if (!failed) {
    status().blockers.clear();
    status().blockers_omitted = 0;
  }
  return Step::Wait;
}

}  // namespace reconcilers
