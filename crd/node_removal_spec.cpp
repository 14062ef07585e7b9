#include <boost/json/array.hpp>
#include <charconv>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crd/json.hpp"
#include "crd/node_removal.hpp"

namespace crd {
namespace {

namespace bj = boost::json;

/// "25%"
std::optional<MaxConcurrent> percentage(const std::string& text) {
  MaxConcurrent result{.value = 0, .percent = true};
  if (text.empty() || text.back() != '%') return std::nullopt;
  const auto* end = text.data() + text.size() - 1;
  const auto parsed = std::from_chars(text.data(), end, result.value);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return std::nullopt;
  return result;
}

/// Reads typed members of one object of the spec and notes every member that has another type.
class SpecReader {
 public:
  SpecReader(const bj::object& object, std::string path, std::vector<std::string>& errors)
      : object_(object), path_(std::move(path)), errors_(errors) {}

  void read(std::string_view key, bool& out) const {
    if (const auto* value = json::find(object_, key)) {
      if (const bool* flag = value->if_bool()) {
        out = *flag;
      } else {
        fail(key, "must be true or false");
      }
    }
  }

  void read(std::string_view key, std::string& out) const {
    if (const auto* value = json::find(object_, key)) {
      if (const auto* text = value->if_string()) {
        out.assign(text->data(), text->size());
      } else {
        fail(key, "must be a string");
      }
    }
  }

  void read(std::string_view key, std::int64_t& out) const {
    if (const auto* value = json::find(object_, key)) {
      if (const auto* number = value->if_int64()) {
        out = *number;
      } else {
        fail(key, "must be a whole number");
      }
    }
  }

  void read(std::string_view key, std::optional<std::int64_t>& out) const {
    if (json::find(object_, key) == nullptr) return;
    out = 0;
    read(key, *out);
  }

  void read(std::string_view key, std::optional<LabelSelector>& out) const {
    const auto* value = json::find(object_, key);
    if (value == nullptr) return;
    const auto* object = value->if_object();
    if (object != nullptr && !object->empty()) out = label_selector_from_json(*object);
    if (!out) fail(key, "must be a label selector that asks for something");
  }

  void read(std::string_view key, std::optional<MaxConcurrent>& out) const {
    const auto* value = json::find(object_, key);
    if (value == nullptr) return;
    if (const auto* number = value->if_int64()) out = MaxConcurrent{*number, false};
    if (const auto* text = value->if_string())
      out = percentage(std::string{text->data(), text->size()});
    if (!out || out->value < 1 || out->value > (out->percent ? 100 : 500)) {
      fail(key, "must be a number from 1 to 500 or a percentage from 1% to 100%");
    }
  }

  template <typename Enum>
  void read(std::string_view key, Enum& out,
            std::initializer_list<std::pair<std::string_view, Enum>> words) const {
    const auto errors_before = errors_.size();
    std::string text;
    read(key, text);
    if (!has(key) || errors_.size() > errors_before) return;
    std::string allowed;
    for (const auto& [word, value] : words) {
      if (text == word) {
        out = value;
        return;
      }
      allowed += (allowed.empty() ? "" : " or ") + std::string{word};
    }
    fail(key, "must be " + allowed);
  }

  void read(std::string_view key, std::vector<std::string>& out) const {
    const auto* value = json::find(object_, key);
    if (value == nullptr) return;
    const auto* items = value->if_array();
    if (items == nullptr) return fail(key, "must be a list of strings");
    out.clear();
    for (const auto& item : *items) {
      if (const auto* text = item.if_string()) {
        out.emplace_back(text->data(), text->size());
      } else {
        fail(key, "must be a list of strings");
      }
    }
  }

  void read(std::string_view key, std::vector<CleanupStep>& out) const {
    if (!has(key)) return;
    std::vector<std::string> names;
    read(key, names);
    out.clear();
    for (const auto& name : names) {
      if (const auto step = cleanup_step_of(name)) {
        out.push_back(*step);
      } else {
        fail(key, "must be any of KubeadmReset, CNI, Iptables and IPVS");
      }
    }
    out = in_order(std::move(out));
  }

  bool has(std::string_view key) const { return json::find(object_, key) != nullptr; }

  template <typename Body>
  void nested(std::string_view key, Body body) const {
    const auto* value = json::find(object_, key);
    if (value == nullptr) return;
    if (const auto* object = value->if_object()) {
      body(SpecReader{*object, path_ + "." + std::string{key}, errors_});
    } else {
      fail(key, "must be an object");
    }
  }

 private:
  void fail(std::string_view key, std::string_view problem) const {
    errors_.push_back(path_ + "." + std::string{key} + " " + std::string{problem});
  }

  const bj::object& object_;
  std::string path_;
  std::vector<std::string>& errors_;
};

constexpr auto kTimeoutActions = {std::pair{std::string_view{"Continue"}, TimeoutAction::Continue},
                                  std::pair{std::string_view{"Fail"}, TimeoutAction::Fail}};

void read_drain(const SpecReader& reader, DrainSpec& drain) {
  reader.read("force", drain.force);
  reader.read("deleteEmptyDirData", drain.delete_empty_dir_data);
  reader.read("ignoreDaemonSets", drain.ignore_daemon_sets);
  reader.read("gracePeriodSeconds", drain.grace_period_seconds);
  reader.read("timeoutSeconds", drain.timeout_seconds);
  reader.read("onTimeout", drain.on_timeout,
              {{"Fail", DrainTimeoutAction::Fail}, {"Delete", DrainTimeoutAction::Delete}});
  reader.read("disableEviction", drain.disable_eviction);
  reader.read("podSelector", drain.pod_selector);
  reader.read("waitForCompletion", drain.wait_for_completion);
}

void read_host_cleanup(const SpecReader& reader, HostCleanupSpec& cleanup) {
  reader.read("enabled", cleanup.enabled);
  reader.read("steps", cleanup.plan.steps);
  reader.read("cniInterfaces", cleanup.plan.cni_interfaces);
  reader.read("extraPaths", cleanup.plan.extra_paths);
  reader.read("flushAll", cleanup.plan.flush_all);
  reader.read("dryRun", cleanup.plan.dry_run);
  reader.read("image", cleanup.image);
  reader.read("timeoutSeconds", cleanup.timeout_seconds);
  reader.read("onFailure", cleanup.on_failure, kTimeoutActions);
}

}  // namespace

NodeRemovalSpec node_removal_spec_from_json(const bj::object& object) {
  NodeRemovalSpec spec;
  const SpecReader reader{object, "spec", spec.decode_errors};
  reader.read("nodeName", spec.node_name);
  reader.read("nodeUID", spec.node_uid);
  reader.read("suspend", spec.suspend);
  reader.read("dryRun", spec.dry_run);
  reader.read("deleteNode", spec.delete_node);
  reader.read("allowControlPlane", spec.allow_control_plane);
  reader.read("nodeSelector", spec.node_selector);
  reader.read("maxConcurrent", spec.max_concurrent);
  reader.read("ttlSecondsAfterFinished", spec.ttl_seconds_after_finished);
  reader.nested("drain", [&](const SpecReader& drain) { read_drain(drain, spec.drain); });
  reader.nested("migration", [&](const SpecReader& migration) {
    migration.read("wait", spec.migration.wait);
    migration.read("timeoutSeconds", spec.migration.timeout_seconds);
    migration.read("onTimeout", spec.migration.on_timeout, kTimeoutActions);
  });
  reader.nested("volumes", [&](const SpecReader& volumes) {
    volumes.read("waitForDetach", spec.volumes.wait_for_detach);
    volumes.read("timeoutSeconds", spec.volumes.timeout_seconds);
    volumes.read("onTimeout", spec.volumes.on_timeout, kTimeoutActions);
  });
  reader.nested("unreachable", [&](const SpecReader& unreachable) {
    unreachable.read("toleranceSeconds", spec.unreachable.tolerance_seconds);
    unreachable.read("fenced", spec.unreachable.fenced);
  });
  reader.nested("hostCleanup",
                [&](const SpecReader& cleanup) { read_host_cleanup(cleanup, spec.host_cleanup); });
  return spec;
}

}  // namespace crd
