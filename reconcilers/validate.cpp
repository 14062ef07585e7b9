#include "reconcilers/validate.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

namespace reconcilers {
namespace {

/// As in the schema: more would overflow in arithmetic with times.
constexpr std::int64_t kMaxSeconds = 2147483647;

bool is_node_name(std::string_view name) {
  const auto alphanumeric = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return name.size() <= 253 && alphanumeric(name.front()) && alphanumeric(name.back()) &&
         std::ranges::all_of(name, [&](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
}

std::optional<std::string> first_invalid(const crd::NodeRemovalSpec& spec) {
  if (!spec.decode_errors.empty()) return spec.decode_errors.front();
  if (spec.node_name.empty() && !spec.node_selector) {
    return "spec.nodeName is missing; give exactly one of nodeName and nodeSelector";
  }
  if (!spec.node_name.empty() && spec.node_selector) {
    return "spec has both nodeName and nodeSelector; give exactly one of them";
  }
  if (spec.node_selector && !spec.node_uid.empty()) {
    return "spec.nodeUID pins one node; use it with nodeName, or remove it";
  }
  if (spec.max_concurrent && !spec.node_selector) {
    return "spec.maxConcurrent is only for nodeSelector; remove it";
  }
  if (!spec.node_name.empty() && !is_node_name(spec.node_name)) {
    return "spec.nodeName is not a node name: at most 253 lower-case letters, digits, '-' and '.', "
           "beginning and "
           "ending with a letter or digit";
  }
  if (spec.drain.grace_period_seconds.value_or(1) > kMaxSeconds) {
    return "spec.drain.gracePeriodSeconds must be at most " + std::to_string(kMaxSeconds);
  }
  if (spec.drain.grace_period_seconds && *spec.drain.grace_period_seconds < 1) {
    return "spec.drain.gracePeriodSeconds must be at least 1: 0 would kill pods without asking "
           "them to stop";
  }
  for (const auto& [field, value] :
       {std::pair{"spec.drain.timeoutSeconds", spec.drain.timeout_seconds},
        std::pair{"spec.migration.timeoutSeconds", spec.migration.timeout_seconds},
        std::pair{"spec.volumes.timeoutSeconds", spec.volumes.timeout_seconds},
        std::pair{"spec.unreachable.toleranceSeconds", spec.unreachable.tolerance_seconds},
        std::pair{"spec.ttlSecondsAfterFinished", spec.ttl_seconds_after_finished.value_or(0)}}) {
    if (value < 0) return std::string{field} + " must not be negative";
    if (value > kMaxSeconds) {
      return std::string{field} + " must be at most " + std::to_string(kMaxSeconds);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<SpecProblem> validate(const crd::NodeRemovalSpec& spec) {
  if (auto invalid = first_invalid(spec)) {
    return SpecProblem{"InvalidSpec",
                       *invalid + ". Delete this NodeRemoval and create a corrected one."};
  }
  if (spec.host_cleanup) {
    return SpecProblem{"NotImplemented",
                       "spec.hostCleanup is not implemented in this version, and nothing was done. "
                       "Delete this NodeRemoval and create one without that field."};
  }
  return std::nullopt;
}

}  // namespace reconcilers
