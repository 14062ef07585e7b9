#include "crd/fixed_spec.hpp"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "crd/hash.hpp"

namespace crd {
namespace {

/// The fields that differ from their defaults, one after the other. Who may write the spec may also
/// write another NodeRemoval, so that a hash of it has to notice a change and no attack.
class FixedFields {
 public:
  template <typename T>
  void add(std::string_view name, const T& value, const T& default_value) {
    if (value == default_value) return;
    text_ += std::string{name} + "=" + text_of(value) + ";";
  }

  const std::string& text() const { return text_; }

 private:
  static std::string text_of(const std::string& text) { return text; }
  static std::string text_of(const std::vector<std::string>& texts) {
    std::string joined;
    for (const auto& text : texts) joined += text + " ";
    return joined;
  }
  /// The same for every order of the requirements and their values.
  static std::string text_of(const std::optional<LabelSelector>& selector) {
    auto sorted = *selector;
    for (auto& requirement : sorted.match_expressions) std::ranges::sort(requirement.values);
    std::ranges::sort(sorted.match_expressions, {}, [](const LabelSelector::Requirement& each) {
      return std::tie(each.key, each.op, each.values);
    });
    return sorted.query();
  }
  static std::string text_of(const std::optional<MaxConcurrent>& limit) {
    return std::to_string(limit->value) + (limit->percent ? "%" : "");
  }
  static std::string text_of(const std::optional<std::int64_t>& number) {
    return std::to_string(*number);
  }
  template <typename T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  static std::string text_of(T value) {
    return std::to_string(static_cast<std::int64_t>(value));
  }

  std::string text_;
};

}  // namespace

std::string fixed_spec_hash(const NodeRemovalSpec& spec) {
  static const NodeRemovalSpec defaults;
  FixedFields fields;
  const auto add = [&](std::string_view name, auto member) {
    fields.add(name, spec.*member, defaults.*member);
  };
  add("nodeName", &NodeRemovalSpec::node_name);
  add("nodeSelector", &NodeRemovalSpec::node_selector);
  const auto max_concurrent = spec.max_concurrent.value_or(MaxConcurrent{});
  fields.add("maxConcurrent", std::optional{max_concurrent}, std::optional{MaxConcurrent{}});
  add("nodeUID", &NodeRemovalSpec::node_uid);
  add("dryRun", &NodeRemovalSpec::dry_run);
  add("deleteNode", &NodeRemovalSpec::delete_node);
  add("allowControlPlane", &NodeRemovalSpec::allow_control_plane);
  const auto& cleanup = spec.host_cleanup;
  fields.add("hostCleanup", cleanup.enabled, defaults.host_cleanup.enabled);
  fields.add("hostCleanup.plan", arguments_of(cleanup.plan), {});
  fields.add("hostCleanup.image", cleanup.image, {});
  fields.add("hostCleanup.timeoutSeconds", cleanup.timeout_seconds,
             defaults.host_cleanup.timeout_seconds);
  fields.add("hostCleanup.onFailure", cleanup.on_failure, defaults.host_cleanup.on_failure);
  const auto add_drain = [&](std::string_view name, auto member) {
    fields.add(name, spec.drain.*member, defaults.drain.*member);
  };
  add_drain("force", &DrainSpec::force);
  add_drain("deleteEmptyDirData", &DrainSpec::delete_empty_dir_data);
  add_drain("ignoreDaemonSets", &DrainSpec::ignore_daemon_sets);
  add_drain("gracePeriodSeconds", &DrainSpec::grace_period_seconds);
  add_drain("drain.timeoutSeconds", &DrainSpec::timeout_seconds);
  add_drain("drain.onTimeout", &DrainSpec::on_timeout);
  add_drain("podSelector", &DrainSpec::pod_selector);
  add_drain("waitForCompletion", &DrainSpec::wait_for_completion);
  add_drain("disableEviction", &DrainSpec::disable_eviction);
  fields.add("migration.wait", spec.migration.wait, defaults.migration.wait);
  fields.add("migration.timeoutSeconds", spec.migration.timeout_seconds,
             defaults.migration.timeout_seconds);
  fields.add("migration.onTimeout", spec.migration.on_timeout, defaults.migration.on_timeout);
  fields.add("volumes.waitForDetach", spec.volumes.wait_for_detach,
             defaults.volumes.wait_for_detach);
  fields.add("volumes.timeoutSeconds", spec.volumes.timeout_seconds,
             defaults.volumes.timeout_seconds);
  fields.add("volumes.onTimeout", spec.volumes.on_timeout, defaults.volumes.on_timeout);
  fields.add("toleranceSeconds", spec.unreachable.tolerance_seconds,
             defaults.unreachable.tolerance_seconds);
  return hash_of(fields.text());
}

}  // namespace crd
