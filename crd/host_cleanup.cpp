#include "crd/host_cleanup.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/system/error_code.hpp>

#include "crd/core_types.hpp"
#include "crd/json.hpp"

namespace crd {
namespace {

namespace bj = boost::json;

constexpr std::size_t kMaxSteps = 20;
constexpr std::size_t kMaxWord = 64;
constexpr std::size_t kMaxReportText = 512;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Where the system itself is: neither these nor what is below them is deleted.
constexpr std::string_view kSystemFolders[] = {"/bin",
                                               "/boot",
                                               "/dev",
                                               "/lib",
                                               "/lib32",
                                               "/lib64",
                                               "/proc",
                                               "/sbin",
                                               "/sys",
                                               "/usr/bin",
                                               "/usr/sbin",
                                               "/usr/lib",
                                               "/usr/libexec",
                                               "/usr/lib32",
                                               "/usr/lib64",
                                               "/etc/NetworkManager",
                                               "/etc/apt",
                                               "/etc/fstab",
                                               "/etc/group",
                                               "/etc/gshadow",
                                               "/etc/hostname",
                                               "/etc/hosts",
                                               "/etc/ld.so.conf",
                                               "/etc/ld.so.conf.d",
                                               "/etc/machine-id",
                                               "/etc/netplan",
                                               "/etc/nsswitch.conf",
                                               "/etc/os-release",
                                               "/etc/pam.d",
                                               "/etc/passwd",
                                               "/etc/resolv.conf",
                                               "/etc/security",
                                               "/etc/shadow",
                                               "/etc/ssh",
                                               "/etc/ssl",
                                               "/etc/sudoers",
                                               "/etc/sudoers.d",
                                               "/run/systemd",
                                               "/var/lib/dpkg",
                                               "/var/lib/rpm",
                                               "/var/lib/systemd"};
/// These are not deleted; what is below them may be.
constexpr std::string_view kKeptFolders[] = {"/etc/systemd", "/etc/systemd/system",
                                             "/etc/default", "/etc/network",
                                             "/usr/local",   "/usr/share",
                                             "/var/lib",     "/var/log",
                                             "/var/cache",   "/var/run",
                                             "/var/spool",   "/var/tmp",
                                             "/run/dbus"};
/// CNI plugins are installed there.
constexpr std::string_view kPlugins = "/usr/lib/cni";

bool is_below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/';
}

std::string cleaned(const std::string& text, std::size_t limit) {
  std::string result;
  for (const char c : text) {
    if (result.size() == limit) break;
    const auto byte = static_cast<unsigned char>(c);
    result += byte >= 0x20 && byte < 0x7f ? c : '?';
  }
  return result;
}

}  // namespace

std::string_view name_of(CleanupStep step) {
  switch (step) {
    case CleanupStep::KubeadmReset:
      return "KubeadmReset";
    case CleanupStep::Cni:
      return "CNI";
    case CleanupStep::Iptables:
      return "Iptables";
    case CleanupStep::Ipvs:
      return "IPVS";
  }
  return "";
}

std::optional<CleanupStep> cleanup_step_of(std::string_view name) {
  const auto* found = std::ranges::find(kCleanupSteps, name, name_of);
  return found == kCleanupSteps.end() ? std::nullopt : std::optional{*found};
}

std::vector<CleanupStep> in_order(std::vector<CleanupStep> steps) {
  std::ranges::sort(steps);
  const auto repeated = std::ranges::unique(steps);
  steps.erase(repeated.begin(), repeated.end());
  return steps;
}

std::optional<std::string> problem_with_cni_interface(std::string_view name) {
  if (name.empty() || name.size() > 15) {
    return "must be 1 to 15 characters long";
  }
  const auto allowed = [](char c) {
    return is_alphanumeric(c) || c == '_' || c == '.' || c == '-';
  };
  if (!std::ranges::all_of(name, allowed) || name.front() == '.' || name.front() == '-') {
    return "must consist of letters, digits, '_', '.' and '-', and begin with none of the last two";
  }
  const bool of_machine =
      name == "lo" || name == "br0" ||
      std::ranges::any_of(std::array<std::string_view, 4>{"eth", "en", "wl", "bond"},
                          [&](std::string_view prefix) { return name.starts_with(prefix); });
  if (of_machine) {
    return "is an interface of the machine itself (lo, br0, eth*, en*, wl*, bond*); name only "
           "those that the CNI plugin made, such as cni0";
  }
  return std::nullopt;
}

std::optional<std::string> problem_with_extra_path(std::string_view path) {
  constexpr std::string_view kAlsoAllowed = "_@:+,=.-";
  if (path.size() > 512) return "must be at most 512 characters long";
  if (!path.starts_with('/')) return "must be absolute";
  int levels = 0;
  for (auto rest = path; !rest.empty(); ++levels) {
    const auto end = std::min(rest.find('/', 1), rest.size());
    const auto part = rest.substr(1, end - 1);
    const bool plain = std::ranges::all_of(
        part, [&](char c) { return is_alphanumeric(c) || kAlsoAllowed.contains(c); });
    if (part.empty() || part == "." || part == ".." || part.starts_with("..") || !plain) {
      return "must not have empty parts, parts that begin with \"..\", blanks, wildcards or a "
             "slash "
             "at the end";
    }
    rest.remove_prefix(end);
  }
  if (levels < 2) return "must be at least two levels deep, like /opt/cni";
  const auto of_system = [&](std::string_view folder) {
    return path == folder || is_below(path, folder);
  };
  const bool kept = std::ranges::find(kKeptFolders, path) != std::end(kKeptFolders);
  const bool system = std::ranges::any_of(kSystemFolders, of_system) && !is_below(path, kPlugins);
  const bool keys = path.ends_with("/.ssh") || path.contains("/.ssh/");
  if (kept || system || keys) return "belongs to the system of the machine";
  return std::nullopt;
}

std::vector<std::string> arguments_of(const CleanupPlan& plan) {
  const CleanupPlan defaults;
  std::vector<std::string> arguments;
  const auto add_list = [&](const std::string& option, const auto& items, auto text_of) {
    std::string text;
    for (const auto& item : items) text += (text.empty() ? "" : ",") + std::string{text_of(item)};
    arguments.push_back(option + "=" + text);
  };
  const auto as_is = [](const std::string& text) { return text; };
  if (plan.steps != defaults.steps) add_list("--steps", plan.steps, name_of);
  if (plan.cni_interfaces != defaults.cni_interfaces)
    add_list("--cni-interfaces", plan.cni_interfaces, as_is);
  for (const auto& path : plan.extra_paths) arguments.push_back("--extra-path=" + path);
  if (plan.flush_all) arguments.emplace_back("--flush-all");
  if (plan.dry_run) arguments.emplace_back("--dry-run");
  return arguments;
}

std::string describe(const HostReport& report) {
  std::string text;
  for (const auto& step : report.steps) {
    text += (text.empty() ? "" : ", ") + step.name + " " + step.result;
    if (!step.detail.empty()) text += " (" + step.detail + ")";
  }
  return text;
}

HandOverPod hand_over_pod_from_json(const bj::object& object) {
  const auto meta = object_meta_from_json(object);
  HandOverPod pod{.uid = meta.uid,
                  .phase = {},
                  .terminating = meta.deletion_timestamp.has_value(),
                  .waiting = {},
                  .ended = {}};
  const auto* status = json::object_at(object, "status");
  if (status == nullptr) return pod;
  pod.phase = json::string_at(*status, "phase");
  const auto words = [](const bj::object& of) {
    const auto message = cleaned(json::string_at(of, "message"), kMaxReportText);
    return cleaned(json::string_at(of, "reason"), kMaxWord) +
           (message.empty() ? "" : ": " + message);
  };
  pod.waiting = words(*status);
  const auto* containers = json::array_at(*status, "containerStatuses");
  const auto* container =
      containers == nullptr || containers->empty() ? nullptr : containers->front().if_object();
  const auto* state = container == nullptr ? nullptr : json::object_at(*container, "state");
  if (state == nullptr) return pod;
  if (const auto* waiting = json::object_at(*state, "waiting")) pod.waiting = words(*waiting);
  if (const auto* ended = json::object_at(*state, "terminated")) {
    pod.ended = json::string_at(*ended, "message");
    pod.waiting = words(*ended);
  }
  return pod;
}

bj::object to_json(const HostReport& report) {
  bj::array steps;
  for (const auto& step : report.steps) {
    steps.push_back(
        bj::object{{"name", step.name}, {"result", step.result}, {"detail", step.detail}});
  }
  bj::object object{{"uid", report.uid}, {"phase", report.phase}};
  if (!report.reason.empty()) object["reason"] = report.reason;
  if (!report.message.empty()) object["message"] = report.message;
  object["steps"] = std::move(steps);
  return object;
}

std::optional<HostReport> host_report_from_text(std::string_view text) {
  boost::system::error_code error;
  const auto value = bj::parse(text, error);
  const auto* object = error ? nullptr : value.if_object();
  if (object == nullptr) return std::nullopt;
  const auto word = [](const bj::object& from, std::string_view key) {
    return cleaned(json::string_at(from, key), kMaxWord);
  };
  HostReport report{.uid = word(*object, "uid"),
                    .phase = word(*object, "phase"),
                    .reason = word(*object, "reason"),
                    .message = cleaned(json::string_at(*object, "message"), kMaxReportText),
                    .steps = {}};
  if (report.phase.empty()) return std::nullopt;
  const auto* steps = json::array_at(*object, "steps");
  if (steps == nullptr) return report;
  for (const auto& entry : *steps) {
    const auto* step = entry.if_object();
    if (step == nullptr || report.steps.size() == kMaxSteps) continue;
    report.steps.push_back({word(*step, "name"), word(*step, "result"),
                            cleaned(json::string_at(*step, "detail"), kMaxStepDetail)});
  }
  return report;
}

}  // namespace crd
