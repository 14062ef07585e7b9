#include "crd/fixed_spec.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <tuple>
#include <type_traits>

namespace crd {
namespace {

/// FNV-1a: it has to notice a change, not an attack; who may write the spec may also write another
/// NodeRemoval.
class Hash {
 public:
  template <typename T>
  void add(std::string_view name, const T& value, const T& default_value) {
    if (value == default_value) return;
    add(name);
    add("=");
    add(text_of(value));
    add(";");
  }

  std::string str() const {
    std::array<char, 17> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%016llx", static_cast<unsigned long long>(hash_));
    return buffer.data();
  }

 private:
  void add(std::string_view text) {
    for (const auto c : text) hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 1099511628211U;
  }

  static std::string text_of(const std::string& text) { return text; }
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

  std::uint64_t hash_ = 14695981039346656037U;
};

}  // namespace

std::string fixed_spec_hash(const NodeRemovalSpec& spec) {
  static const NodeRemovalSpec defaults;
  Hash hash;
  const auto add = [&](std::string_view name, auto member) {
    hash.add(name, spec.*member, defaults.*member);
  };
  add("nodeName", &NodeRemovalSpec::node_name);
  add("nodeSelector", &NodeRemovalSpec::node_selector);
  const auto max_concurrent = spec.max_concurrent.value_or(MaxConcurrent{});
  hash.add("maxConcurrent", std::optional{max_concurrent}, std::optional{MaxConcurrent{}});
  add("nodeUID", &NodeRemovalSpec::node_uid);
  add("dryRun", &NodeRemovalSpec::dry_run);
  add("hostCleanup", &NodeRemovalSpec::host_cleanup);
  add("deleteNode", &NodeRemovalSpec::delete_node);
  add("allowControlPlane", &NodeRemovalSpec::allow_control_plane);
  const auto add_drain = [&](std::string_view name, auto member) {
    hash.add(name, spec.drain.*member, defaults.drain.*member);
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
  hash.add("migration.wait", spec.migration.wait, defaults.migration.wait);
  hash.add("migration.timeoutSeconds", spec.migration.timeout_seconds,
           defaults.migration.timeout_seconds);
  hash.add("migration.onTimeout", spec.migration.on_timeout, defaults.migration.on_timeout);
  hash.add("volumes.waitForDetach", spec.volumes.wait_for_detach, defaults.volumes.wait_for_detach);
  hash.add("volumes.timeoutSeconds", spec.volumes.timeout_seconds,
           defaults.volumes.timeout_seconds);
  hash.add("volumes.onTimeout", spec.volumes.on_timeout, defaults.volumes.on_timeout);
  hash.add("toleranceSeconds", spec.unreachable.tolerance_seconds,
           defaults.unreachable.tolerance_seconds);
  return hash.str();
}

}  // namespace crd
