#pragma once

#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "crd/time.hpp"

namespace crd {

enum class ConditionStatus { True, False, Unknown };

std::string_view to_string(ConditionStatus status);

/// metav1.Condition.
struct Condition {
  std::string type;
  ConditionStatus status = ConditionStatus::Unknown;
  std::string reason;
  std::string message;
  TimePoint last_transition_time;
  std::int64_t observed_generation = 0;
  bool operator==(const Condition&) const = default;
};

/// At most one condition per type, in the order in which they were first set.
class Conditions {
 public:
  const Condition* find(std::string_view type) const;
  bool is_true(std::string_view type) const;
  bool is(std::string_view type, ConditionStatus status) const;

  /// Sets or replaces the condition of this type. Its lastTransitionTime moves only when the status
  /// does.
  void set(std::string_view type, ConditionStatus status, std::string_view reason,
           std::string message, TimePoint now, std::int64_t generation);
  void remove(std::string_view type);
  /// Gives every condition the lastTransitionTime that `moved` returns for it.
  void move_times(const std::function<TimePoint(const Condition&)>& moved);
  /// Says of every condition that it holds for this generation of the spec.
  void set_generation(std::int64_t generation);

  const std::vector<Condition>& all() const { return all_; }
  bool operator==(const Conditions&) const = default;

  static Conditions from_json(const boost::json::array& array);
  boost::json::array to_json() const;

 private:
  std::vector<Condition> all_;
};

}  // namespace crd
