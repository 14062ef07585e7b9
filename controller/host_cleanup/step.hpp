#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "controller/host_cleanup/journal.hpp"
#include "controller/host_cleanup/kubelet_facts.hpp"
#include "controller/host_cleanup/tool.hpp"
#include "crd/host_cleanup.hpp"

namespace host_cleanup {

/// What became of a step.
struct Outcome {
  std::string result;  ///< one of crd::step_result
  std::string detail;
  std::string reason;  ///< of a failure, CamelCase
  bool operator==(const Outcome&) const = default;
};

inline Outcome done(std::string detail) {
  return {std::string{crd::step_result::kDone}, std::move(detail), {}};
}
inline Outcome nothing_to_do(std::string detail) {
  return {std::string{crd::step_result::kNothingToDo}, std::move(detail), {}};
}
inline Outcome planned(std::string detail) {
  return {std::string{crd::step_result::kPlanned}, std::move(detail), {}};
}
inline Outcome skipped(std::string detail) {
  return {std::string{crd::step_result::kSkipped}, std::move(detail), {}};
}
inline Outcome failed(std::string_view reason, std::string detail) {
  return {std::string{crd::step_result::kFailed}, std::move(detail), std::string{reason}};
}

namespace failure {
inline constexpr std::string_view kToolMissing = "ToolMissing";
inline constexpr std::string_view kToolFailed = "ToolFailed";
inline constexpr std::string_view kUnsupportedHost = "UnsupportedHost";
inline constexpr std::string_view kKubeletRunning = "KubeletRunning";
inline constexpr std::string_view kPodsLeft = "PodsLeft";
inline constexpr std::string_view kMountsBusy = "MountsBusy";
inline constexpr std::string_view kCredentialsLeft = "CredentialsLeft";
inline constexpr std::string_view kInterfaceRefused = "InterfaceRefused";
inline constexpr std::string_view kRulesLeft = "RulesLeft";
inline constexpr std::string_view kWouldLockOut = "WouldLockOut";
inline constexpr std::string_view kPathRefused = "PathRefused";
}  // namespace failure

/// What every step works with. With plan.dry_run a step only looks, and answers Planned where there
/// is something to do.
struct Context {
  const crd::CleanupPlan& plan;
  const KubeletFacts& facts;
  Journal& journal;
  std::filesystem::path folder;  ///< keeps what was there before; not used in a dry run
  std::string mark;              ///< ends the names of files that are moved aside

  /// Runs a tool and writes down that and what came of it.
  ToolResult run(const ToolCall& call) const;
};

/// In the order in which they are carried out. Each can be called again after it was killed at any
/// point, and comes to the same end.
///
/// Stops and disables kubelet.service (never masks it: nothing could join again), and sees that no
/// process named kubelet is left in this PID namespace.
Outcome clean_kubelet(const Context& context);
/// Empty when it is off, as clean_kubelet leaves it.
std::string why_kubelet_is_not_off();
/// Stops and removes all pods over the CRI, and sees that none is left.
Outcome clean_pods(const Context& context);
/// Unmounts what is below the kubelet's folder.
Outcome clean_mounts(const Context& context);
/// Runs `kubeadm reset`, which erases through mounts: never while one is left.
Outcome reset_kubeadm(const Context& context);
/// Deletes the interfaces and the files of CNI plugins.
Outcome clean_cni(const Context& context);
/// Removes the chains of Kubernetes and its CNI plugins and the rules that lead there, in all
/// backends; with flush_all everything.
Outcome clean_iptables(const Context& context);
/// Removes what kube-proxy leaves in IPVS mode: virtual services, kube-ipvs0, IP sets.
Outcome clean_ipvs(const Context& context);
/// Deletes plan.extra_paths.
Outcome clean_extra_paths(const Context& context);

}  // namespace host_cleanup
