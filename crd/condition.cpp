#include "crd/condition.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <utility>

#include "crd/json.hpp"

namespace crd {
namespace {

ConditionStatus parse_status(std::string_view text) {
  if (text == "True") return ConditionStatus::True;
  if (text == "False") return ConditionStatus::False;
  return ConditionStatus::Unknown;
}

}  // namespace

std::string_view to_string(ConditionStatus status) {
  switch (status) {
    case ConditionStatus::True:
      return "True";
    case ConditionStatus::False:
      return "False";
    case ConditionStatus::Unknown:
      break;
  }
  return "Unknown";
}

const Condition* Conditions::find(std::string_view type) const {
  const auto found = std::ranges::find(all_, type, &Condition::type);
  return found == all_.end() ? nullptr : &*found;
}

bool Conditions::is_true(std::string_view type) const { return is(type, ConditionStatus::True); }

bool Conditions::is(std::string_view type, ConditionStatus status) const {
  const auto* condition = find(type);
  return condition != nullptr && condition->status == status;
}

void Conditions::set(std::string_view type, ConditionStatus status, std::string_view reason,
                     std::string message, TimePoint now, std::int64_t generation) {
  auto found = std::ranges::find(all_, type, &Condition::type);
  if (found == all_.end()) {
    found = all_.insert(all_.end(), Condition{.type = std::string{type},
                                              .status = status,
                                              .reason = {},
                                              .message = {},
                                              .last_transition_time = now,
                                              .observed_generation = generation});
  }
  if (found->status != status) found->last_transition_time = now;
  found->status = status;
  found->reason = reason;
  found->message = std::move(message);
  found->observed_generation = generation;
}

void Conditions::remove(std::string_view type) {
  std::erase_if(all_, [&](const Condition& condition) { return condition.type == type; });
}

void Conditions::move_times(const std::function<TimePoint(const Condition&)>& moved) {
  for (auto& condition : all_) condition.last_transition_time = moved(condition);
}

void Conditions::set_generation(std::int64_t generation) {
  for (auto& condition : all_) condition.observed_generation = generation;
}

Conditions Conditions::from_json(const boost::json::array& array) {
  Conditions result;
  for (const auto& value : array) {
    const auto* object = value.if_object();
    if (object == nullptr) continue;
    Condition condition{
        .type = json::string_at(*object, "type"),
        .status = parse_status(json::string_at(*object, "status")),
        .reason = json::string_at(*object, "reason"),
        .message = json::string_at(*object, "message"),
        .last_transition_time = json::time_at(*object, "lastTransitionTime").value_or(TimePoint{}),
        .observed_generation = json::int_at(*object, "observedGeneration").value_or(0)};
    if (!condition.type.empty() && result.find(condition.type) == nullptr) {
      result.all_.push_back(std::move(condition));
    }
  }
  return result;
}

boost::json::array Conditions::to_json() const {
  boost::json::array result;
  for (const auto& condition : all_) {
    result.push_back(boost::json::object{
        {"type", condition.type},
        {"status", to_string(condition.status)},
        {"reason", condition.reason},
        {"message", condition.message},
        {"lastTransitionTime", to_rfc3339(condition.last_transition_time)},
        {"observedGeneration", condition.observed_generation},
    });
  }
  return result;
}

}  // namespace crd
