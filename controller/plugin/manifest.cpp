#include "controller/plugin/manifest.hpp"

#include <charconv>
#include <utility>

#include "controller/plugin/selector.hpp"
#include "reconcilers/resources.hpp"

namespace plugin {
namespace {

namespace bj = boost::json;
constexpr std::int64_t kSecondsOfPlan = 60;

void set_if(bj::object& object, std::string_view key, bool value) {
  if (value) object[key] = true;
}

void set_if(bj::object& object, std::string_view key, const std::string& value) {
  if (!value.empty()) object[key] = value;
}

void set_selector(bj::object& object, std::string_view key, const std::string& selector) {
  if (!selector.empty()) object[key] = *parse_selector(selector);  // the command line was checked
}

bj::object drain_of(const RemovalFlags& flags) {
  bj::object drain;
  set_if(drain, "force", flags.force);
  set_if(drain, "deleteEmptyDirData", flags.delete_empty_dir_data);
  if (!flags.ignore_daemon_sets) drain["ignoreDaemonSets"] = false;
  if (flags.grace_period.value_or(-1) > 0) drain["gracePeriodSeconds"] = *flags.grace_period;
  if (flags.drain_timeout) drain["timeoutSeconds"] = flags.drain_timeout->count();
  set_if(drain, "onTimeout", flags.on_timeout);
  set_selector(drain, "podSelector", flags.pod_selector);
  set_selector(drain, "waitForCompletion", flags.wait_for_completion);
  set_if(drain, "disableEviction", flags.disable_eviction);
  return drain;
}

/// A number, or a percentage as text.
bj::value max_concurrent_of(const std::string& text) {
  if (text.ends_with('%')) return bj::value(text);
  std::int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

bj::object spec_of(const RemovalFlags& flags) {
  bj::object spec;
  set_if(spec, "nodeName", flags.node);
  set_if(spec, "nodeUID", flags.node_uid);
  set_selector(spec, "nodeSelector", flags.selector);
  if (!flags.max_concurrent.empty())
    spec["maxConcurrent"] = max_concurrent_of(flags.max_concurrent);
  if (auto drain = drain_of(flags); !drain.empty()) spec["drain"] = std::move(drain);
  if (flags.fenced) spec["unreachable"] = bj::object{{"fenced", true}};
  if (flags.host_cleanup) spec["hostCleanup"] = bj::object{{"enabled", true}};
  if (flags.no_delete) spec["deleteNode"] = false;
  set_if(spec, "allowControlPlane", flags.allow_control_plane);
  return spec;
}

bj::object removal(std::string_view name, bj::object spec) {
  return {{"apiVersion", crd::kApiVersion},
          {"kind", crd::kKind},
          {"metadata", bj::object{{"name", name}}},
          {"spec", std::move(spec)}};
}

}  // namespace

bj::object manifest(const RemovalFlags& flags) {
  return removal(flags.name.empty() ? flags.node : flags.name, spec_of(flags));
}

bj::object dry_run_manifest(const RemovalFlags& flags, std::string_view name) {
  auto spec = spec_of(flags);
  spec["dryRun"] = true;
  spec["ttlSecondsAfterFinished"] = kSecondsOfPlan;
  return removal(name, std::move(spec));
}

std::string dry_run_name(std::string_view node, std::uint32_t random) {
  constexpr std::size_t kLongest = 200;  // names have at most 253 characters
  std::string digits(8, '0');
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, random >>= 4U) {
    *digit = "0123456789abcdef"[random & 0xFU];
  }
  std::string name{node.substr(0, kLongest)};
  while (name.ends_with('.') || name.ends_with('-')) name.pop_back();
  return "plan-" + (name.empty() ? "" : name + "-") + digits;
}

}  // namespace plugin
