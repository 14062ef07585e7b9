#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "crd/node_removal.hpp"
#include "crd/time.hpp"
#include "reconcilers/decision.hpp"
#include "reconcilers/observation.hpp"
#include "reconcilers/policy.hpp"

namespace reconcilers {

/// The decision while it is being made: what was seen, and what has been decided so far. A step
/// function gets the round and returns Step::Next when the flow may go on, or Step::Wait when the
/// round ends with this step.
enum class Step { Next, Wait };

class Round {
 public:
  Round(const Observation& observation, const Policy& operator_policy, crd::WallTime clock);

  const Observation& seen;
  const Policy& policy;
  const crd::WallTime time;
  const crd::TimePoint now;
  Decision decision;

  const crd::NodeRemoval& removal() const { return seen.removal; }
  const crd::NodeRemovalSpec& spec() const { return seen.removal.spec; }
  crd::NodeRemovalStatus& status() { return decision.status; }
  /// The node; only in steps that come after the node was found.
  const crd::Node& node() const { return **known(seen.node); }

  /// Ends the round until this fact is known. `fact` may hold the reason why it could not be
  /// learnt.
  template <typename T>
  Step need(FactName name, const Fact<T>& fact) {
    if (!fact) {
      decision.needs.insert(name);
      return Step::Wait;
    }
    return wait_for_unknown(fact->error());
  }

  void set(std::string_view type, crd::ConditionStatus status, std::string_view reason,
           std::string message);
  /// The step `type` is done.
  void pass(std::string_view type, std::string_view reason, std::string message);
  /// The step `type` is under way: its condition and the summary are Unknown with this reason.
  Step wait(std::string_view type, std::string_view reason, std::string message);
  /// Only the summary says why nothing goes on.
  Step wait(std::string_view reason, std::string message);

  /// Says in the message of the summary, while the removal is in progress, why the last attempt
  /// failed.
  void add_failure_to_summary(const std::string& error);

  /// When the condition became Unknown, that is, when its step began; nullopt before.
  std::optional<crd::TimePoint> began(std::string_view type) const;
  /// The steps that are under way begin anew when the removal goes on: time in which it stood still
  /// does not count.
  void restart_clocks();
  /// When the clock was set, times in status may lie ahead, or steps under way seem to have begun
  /// before it ran evenly. Both are moved so that nothing seems older than it is.
  void mend_times();
  /// True when the step began longer ago than `seconds` (0 = no limit). Otherwise sees to it that
  /// we look again then.
  bool timed_out(std::string_view type, std::int64_t seconds);
  /// How long to wait before looking again at something that is polled: short at first, never above
  /// 5 s.
  std::chrono::milliseconds poll_interval(std::string_view type) const;

  void requeue_after(std::chrono::milliseconds delay);
  void requeue_at(crd::TimePoint when) { requeue_after(when - now); }

  Step succeed(std::string_view reason, std::string message);
  Step fail(std::string_view reason, std::string message);

 private:
  Step wait_for_unknown(const std::string& why);
  Step finish(crd::ConditionStatus succeeded, std::string_view reason, std::string message);
};

}  // namespace reconcilers
