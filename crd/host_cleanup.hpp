#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The words in which the operator and the program on the host speak of the cleaning of a machine:
/// what is to be cleaned, and what became of it.
namespace crd {

/// On the Node, set by the operator: the UID of the NodeRemoval whose cleaning may begin. Nothing
/// is changed on the machine before.
inline constexpr std::string_view kHostCleanupStartAnnotation =
    "noderemoval.dev/host-cleanup-start";
/// On the Node, set by the machine itself with the certificate of its kubelet: a HostReport.
inline constexpr std::string_view kHostCleanupReportAnnotation =
    "noderemoval.dev/host-cleanup-report";

/// In the order in which they are done.
enum class CleanupStep { KubeadmReset, Cni, Iptables, Ipvs };
inline constexpr std::array kCleanupSteps{CleanupStep::KubeadmReset, CleanupStep::Cni,
                                          CleanupStep::Iptables, CleanupStep::Ipvs};

/// As in spec.hostCleanup.steps.
std::string_view name_of(CleanupStep step);
std::optional<CleanupStep> cleanup_step_of(std::string_view name);
/// As they are done, each once.
std::vector<CleanupStep> in_order(std::vector<CleanupStep> steps);

/// What is cleaned on a machine. The kubelet is always stopped and disabled first, and the pods are
/// removed.
struct CleanupPlan {
  /// Sorted, each once.
  std::vector<CleanupStep> steps{kCleanupSteps.begin(), kCleanupSteps.end()};
  std::vector<std::string> cni_interfaces{"cni0", "flannel.1"};
  std::vector<std::string> extra_paths;
  bool flush_all = false;
  bool dry_run = false;  ///< only look
  bool operator==(const CleanupPlan&) const = default;
};

/// Why step CNI must not delete an interface of this name; nullopt when it may. Names of Linux: 1
/// to 15 characters.
std::optional<std::string> problem_with_cni_interface(std::string_view name);
/// Why this is no path to delete: it must be absolute and at least two levels deep, without "." and
/// "..", blanks and wildcards, and below no folder that the system itself is in.
std::optional<std::string> problem_with_extra_path(std::string_view path);

/// The arguments of `noderemoval host-cleanup` that clean as `plan` says; none for the default.
std::vector<std::string> arguments_of(const CleanupPlan& plan);

/// As long as a machine waits at most for the start of a cleaning, in seconds.
inline constexpr std::int64_t kLongestStartWait = 86400;

/// What became of one step.
struct StepReport {
  std::string name;    ///< Kubelet, Pods, Mounts, ExtraPaths, or that of a CleanupStep
  std::string result;  ///< one of step_result
  std::string detail;  ///< for humans, at most kMaxStepDetail bytes
  bool operator==(const StepReport&) const = default;
};

namespace step_result {
inline constexpr std::string_view kDone = "Done";
inline constexpr std::string_view kNothingToDo = "NothingToDo";
inline constexpr std::string_view kScheduled = "Scheduled";  ///< handed over, not begun
inline constexpr std::string_view kSkipped = "Skipped";      ///< not asked for, or not reached
inline constexpr std::string_view kFailed = "Failed";
inline constexpr std::string_view kPlanned = "Planned";  ///< dry run: there is something to do
}  // namespace step_result

namespace cleanup_phase {
inline constexpr std::string_view kHandedOver = "HandedOver";  ///< waits on the host for the start
inline constexpr std::string_view kRunning = "Running";
inline constexpr std::string_view kSucceeded = "Succeeded";
inline constexpr std::string_view kFailed = "Failed";
inline constexpr std::string_view kPlanned = "Planned";  ///< the dry run is over
}  // namespace cleanup_phase

inline constexpr std::size_t kMaxStepDetail = 200;  ///< bytes

/// What a machine says of its cleaning: the termination message of the pod that hands it over, the
/// annotation at its end, and the result file on the machine. It comes from a machine that the
/// operator has no reason to trust.
struct HostReport {
  std::string uid;     ///< of the NodeRemoval; empty when it was started by hand
  std::string phase;   ///< one of cleanup_phase
  std::string reason;  ///< of a failure, CamelCase, such as UnsupportedHost; else empty
  std::string message;
  std::vector<StepReport> steps;
  bool operator==(const HostReport&) const = default;
};

/// Failed, Skipped and so on, for humans: "Kubelet Done (stopped), CNI NothingToDo".
std::string describe(const HostReport& report);

/// The pod that hands a cleaning over to its machine, as it is now.
struct HandOverPod {
  std::string uid;
  std::string phase;
  bool terminating = false;
  std::string waiting;  ///< why its container does not run, such as "ErrImagePull: ..."; else empty
  std::string ended;    ///< what the container left as it ended: a HostReport, or anything
  bool is_finished() const { return phase == "Succeeded" || phase == "Failed"; }
  bool operator==(const HandOverPod&) const = default;
};

HandOverPod hand_over_pod_from_json(const boost::json::object& pod);

boost::json::object to_json(const HostReport& report);
/// nullopt when it is no report. Texts are cut and freed of control characters, and steps beyond
/// 20 are dropped.
std::optional<HostReport> host_report_from_text(std::string_view text);

}  // namespace crd
