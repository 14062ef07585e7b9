#pragma once

#include <boost/json/object.hpp>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "controller/boot_clock.hpp"
#include "crd/time.hpp"

namespace controller {

/// The fields of a coordination.k8s.io/v1 Lease that an election uses.
struct Lease {
  std::string resource_version;
  std::string holder;
  std::int64_t duration_seconds = 0;
  std::string acquire_time;  ///< as written; times of another machine's clock are only compared
  std::string renew_time;
  std::int64_t transitions = 0;

  /// Nothing was written in between, as far as the contents tell.
  bool same_record(const Lease& other) const;
};

Lease lease_from_json(const boost::json::object& object);
/// The `spec`.
boost::json::object lease_spec(const Lease& lease);

struct LeaseDurations {
  /// Others may take the lease this long after they have seen the last change of it.
  std::chrono::seconds lease{15};
  /// The holder gives up when it could not renew for so long. Shorter than `lease`, so that it has
  /// stopped before anybody else starts.
  std::chrono::seconds renew_deadline{10};
  /// Between two attempts.
  std::chrono::seconds retry{2};
};

/// The rules of an election, without I/O: those of client-go, by which a lease expires when its
/// record was not seen to change for as long as it says, measured by our own clock and never by the
/// times written in it. Beyond client-go, a lease that a user edits or deletes does not make two
/// leaders: the former holder's time is waited out.
class LeaseRules {
 public:
  LeaseRules(std::string identity, LeaseDurations durations);

  /// What was read now; nullopt: the API server says that there is none.
  void observe(const std::optional<Lease>& seen, BootClock::time_point now);
  /// Our write was answered with success. `sent_at`: when it was sent, from which our time counts.
  /// `created`: there was none before, as far as we know.
  void written(Lease lease, BootClock::time_point sent_at, bool created);
  /// We gave it up.
  void released() { held_until_.reset(); }

  enum class Claim {
    No,      ///< somebody else holds it, or may
    Create,  ///< there is none
    Update,  ///< it is ours already, or free
  };
  Claim may_claim(BootClock::time_point now) const;
  /// The record to write.
  Lease next_record(crd::TimePoint wall_time) const;
  Lease released_record(crd::TimePoint wall_time) const;

  /// True while nobody else can have become the holder.
  bool holds(BootClock::time_point now) const { return held_until_ && now < *held_until_; }
  /// True when an act may begin: the lease is held for long enough that the act is over before
  /// anybody else starts (half of the renew deadline, and what lies between it and the lease).
  bool may_act(BootClock::time_point now) const;
  /// When to give up; nullopt: it is not held.
  std::optional<BootClock::time_point> held_until() const { return held_until_; }
  /// Nobody may act before this: a former holder whose lease was deleted may not have noticed yet.
  BootClock::time_point act_from() const { return act_from_; }
  /// Who has it, as seen last; empty: nobody.
  const std::string& holder() const;
  const std::string& identity() const { return identity_; }

 private:
  bool may_be_held(BootClock::time_point now) const;

  std::string identity_;
  LeaseDurations durations_;
  std::optional<Lease> seen_;  ///< the last record; kept when it is deleted
  bool absent_ = false;        ///< and it was deleted since
  BootClock::time_point seen_at_{};
  std::optional<BootClock::time_point> held_until_;
  BootClock::time_point act_from_{};
};

}  // namespace controller
