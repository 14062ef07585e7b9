#include "controller/lease.hpp"

#include <algorithm>
#include <utility>

#include "crd/json.hpp"

namespace controller {
namespace {

/// What client-go writes when a holder gives the lease up in order.
constexpr std::int64_t kReleasedSeconds = 1;
/// A record that says more is taken for garbage.
constexpr std::int64_t kMaxSeconds = 3600;

}  // namespace

bool Lease::same_record(const Lease& other) const {
  return holder == other.holder && duration_seconds == other.duration_seconds &&
         acquire_time == other.acquire_time && renew_time == other.renew_time &&
         transitions == other.transitions;
}

Lease lease_from_json(const boost::json::object& object) {
  namespace json = crd::json;
  Lease lease;
  if (const auto* metadata = json::object_at(object, "metadata")) {
    lease.resource_version = json::string_at(*metadata, "resourceVersion");
  }
  const auto* spec = json::object_at(object, "spec");
  if (spec == nullptr) return lease;
  lease.holder = json::string_at(*spec, "holderIdentity");
  lease.duration_seconds = json::int_at(*spec, "leaseDurationSeconds").value_or(0);
  lease.acquire_time = json::string_at(*spec, "acquireTime");
  lease.renew_time = json::string_at(*spec, "renewTime");
  lease.transitions = json::int_at(*spec, "leaseTransitions").value_or(0);
  return lease;
}

boost::json::object lease_spec(const Lease& lease) {
  return {{"holderIdentity", lease.holder},
          {"leaseDurationSeconds", lease.duration_seconds},
          {"acquireTime", lease.acquire_time},
          {"renewTime", lease.renew_time},
          {"leaseTransitions", lease.transitions}};
}

LeaseRules::LeaseRules(std::string identity, LeaseDurations durations)
    : identity_(std::move(identity)), durations_(durations) {}

void LeaseRules::observe(const std::optional<Lease>& seen, BootClock::time_point now) {
  absent_ = !seen;
  if (!seen) return;  // the time of its last holder goes on
  if (seen->holder != identity_) held_until_.reset();
  const bool changed = !seen_ || !seen_->same_record(*seen);
  seen_ = seen;
  if (changed) seen_at_ = now;
}

void LeaseRules::written(Lease lease, BootClock::time_point sent_at, bool created) {
  const bool held_before = holds(sent_at);
  seen_ = std::move(lease);
  absent_ = false;
  seen_at_ = sent_at;
  held_until_ = sent_at + durations_.renew_deadline;
  // Whoever held a lease that was deleted finds out, or gives up, within its renew deadline.
  if (created && !held_before) act_from_ = sent_at + durations_.renew_deadline;
}

bool LeaseRules::may_be_held(BootClock::time_point now) const {
  if (!seen_ || seen_->holder == identity_) return false;
  // Emptied by a user instead of released by its holder, who may not have noticed.
  const bool released = seen_->holder.empty() && seen_->duration_seconds <= kReleasedSeconds;
  if (released && !absent_) return false;
  // Never less than our own: a user may have shortened it under a holder that has not noticed.
  const bool usable = seen_->duration_seconds <= kMaxSeconds;
  const auto duration =
      std::max(durations_.lease, std::chrono::seconds{usable ? seen_->duration_seconds : 0});
  return now < seen_at_ + duration;
}

LeaseRules::Claim LeaseRules::may_claim(BootClock::time_point now) const {
  if (may_be_held(now)) return Claim::No;
  return absent_ || !seen_ ? Claim::Create : Claim::Update;
}

Lease LeaseRules::next_record(crd::TimePoint wall_time) const {
  Lease next = seen_.value_or(Lease{});
  const auto now = crd::to_rfc3339_micro(wall_time);
  const bool ours = next.holder == identity_;
  if (!ours) {
    next.acquire_time = now;
    if (seen_) ++next.transitions;
  }
  if (next.acquire_time.empty()) next.acquire_time = now;
  next.holder = identity_;
  next.duration_seconds = durations_.lease.count();
  next.renew_time = now;
  return next;
}

Lease LeaseRules::released_record(crd::TimePoint wall_time) const {
  Lease record = next_record(wall_time);
  record.holder.clear();
  record.duration_seconds = kReleasedSeconds;
  return record;
}

bool LeaseRules::may_act(BootClock::time_point now) const {
  return now >= act_from_ && held_until_ && now < *held_until_ - durations_.renew_deadline / 2;
}

const std::string& LeaseRules::holder() const {
  static const std::string nobody;
  return seen_ && !absent_ ? seen_->holder : nobody;
}

}  // namespace controller
