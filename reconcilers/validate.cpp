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

std::optional<std::string> problem_with_cleanup(const crd::NodeRemovalSpec& spec) {
  const auto& cleanup = spec.host_cleanup;
  if (!spec.delete_node) {
    return "spec.hostCleanup stops the kubelet for good, so the Node has to go as well; it cannot "
           "be used with spec.deleteNode: false";
  }
  if (cleanup.plan.steps.empty()) {
    return "spec.hostCleanup.steps must name a step, or be left out for all of them";
  }
  if (cleanup.timeout_seconds < 1 || cleanup.timeout_seconds > kMaxSeconds) {
    return "spec.hostCleanup.timeoutSeconds must be from 1 to " + std::to_string(kMaxSeconds);
  }
  for (const auto& name : cleanup.plan.cni_interfaces) {
    if (auto problem = crd::problem_with_cni_interface(name)) {
      return "spec.hostCleanup.cniInterfaces: \"" + crd::shortened(name) + "\" " + *problem;
    }
  }
  for (const auto& path : cleanup.plan.extra_paths) {
    if (auto problem = crd::problem_with_extra_path(path)) {
      return "spec.hostCleanup.extraPaths: \"" + crd::shortened(path) + "\" " + *problem;
    }
  }
  return std::nullopt;
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
  return spec.host_cleanup.enabled ? problem_with_cleanup(spec) : std::nullopt;
}

}  // namespace

std::optional<SpecProblem> validate(const crd::NodeRemovalSpec& spec) {
  if (auto invalid = first_invalid(spec)) {
    return SpecProblem{"InvalidSpec",
                       *invalid + ". Delete this NodeRemoval and create a corrected one."};
  }
  return std::nullopt;
}

std::optional<SpecProblem> refuse_host_cleanup(const crd::NodeRemovalSpec& spec,
                                               const Policy& policy) {
  const auto& cleanup = spec.host_cleanup;
  if (!cleanup.enabled || spec.dry_run) return std::nullopt;
  if (policy.host_cleanup_namespace.empty()) {
    return SpecProblem{
        "HostCleanupDisabled",
        "spec.hostCleanup.enabled is true, and this operator was installed without the right to "
        "clean machines; nothing was done. Install it with hostCleanup.enabled (see "
        "docs/host-cleanup.md), or leave spec.hostCleanup out; then create the NodeRemoval again."};
  }
  const auto& image = cleanup.image;
  if (image.empty() && policy.host_cleanup_image.empty()) {
    return SpecProblem{"ImageNotAllowed",
                       "The operator does not know its own image (--host-cleanup-image), so that "
                       "it cannot start the cleaning of a machine; nothing was done."};
  }
  const bool allowed = image.empty() || image == policy.host_cleanup_image ||
                       std::ranges::find(policy.host_cleanup_allowed_images, image) !=
                           policy.host_cleanup_allowed_images.end();
  if (allowed) return std::nullopt;
  return SpecProblem{
      "ImageNotAllowed",
      "spec.hostCleanup.image is " + crd::shortened(image) +
          ", which would be root on the machine, and this operator was not told that it may be "
          "(--host-cleanup-allow-image); nothing was done. Leave it out, or have the image "
          "allowed; then create the NodeRemoval again."};
}

}  // namespace reconcilers
