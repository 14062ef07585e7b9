#include "reconcilers/hand_over_pod.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <utility>

#include "crd/json.hpp"

namespace reconcilers {
namespace {

namespace bj = boost::json;

constexpr std::string_view kLabel = "noderemoval.dev/removal-uid";
constexpr std::string_view kContainer = "hand-over";

/// What it takes to enter the namespaces of the machine; it is root there all the same.
bj::object security_context(int server_minor) {
  bj::object capabilities{
      {"drop", bj::array{"ALL"}},
      {"add", bj::array{"SYS_ADMIN", "SYS_CHROOT", "SYS_PTRACE", "DAC_OVERRIDE"}}};
  bj::object context{{"runAsUser", 0},
                     {"runAsNonRoot", false},
                     {"allowPrivilegeEscalation", true},  // comes with SYS_ADMIN
                     {"readOnlyRootFilesystem", true},
                     {"capabilities", std::move(capabilities)},
                     {"seLinuxOptions", bj::object{{"type", "spc_t"}}}};
  constexpr int kFirstMinorWithField = 30;
  if (server_minor >= kFirstMinorWithField) {
    context["appArmorProfile"] = bj::object{{"type", "Unconfined"}};
  }
  return context;
}

bj::array arguments(const crd::NodeRemoval& removal) {
  const auto& spec = removal.spec;
  const auto wait = std::min(spec.host_cleanup.timeout_seconds, crd::kLongestStartWait);
  bj::array arguments{"host-cleanup",
                      "--hand-over",
                      "--removal-uid=" + removal.meta.uid,
                      "--node-name=" + spec.node_name,
                      "--node-uid=" + removal.status.node_uid,
                      "--timeout=" + std::to_string(wait)};
  for (auto& argument : crd::arguments_of(spec.host_cleanup.plan)) {
    arguments.emplace_back(std::move(argument));
  }
  return arguments;
}

bj::object metadata(const crd::NodeRemoval& removal) {
  bj::object annotations;
  // Of servers before 1.30.
  annotations["container.apparmor.security.beta.kubernetes.io/" + std::string{kContainer}] =
      "unconfined";
  return {{"name", hand_over_pod_name(removal)},
          {"labels", bj::object{{"app.kubernetes.io/name", "noderemoval"},
                                {"app.kubernetes.io/component", "host-cleanup"},
                                {kLabel, removal.meta.uid}}},
          {"annotations", std::move(annotations)},
          {"ownerReferences", bj::array{crd::owner_reference(removal.meta)}}};
}

}  // namespace

std::string hand_over_pod_name(const crd::NodeRemoval& removal) {
  return "host-cleanup-" + removal.meta.uid;
}

bj::object hand_over_pod(const crd::NodeRemoval& removal, const Policy& policy, int server_minor) {
  const auto& cleanup = removal.spec.host_cleanup;
  bj::object container{{"name", kContainer},
                       {"image", cleanup.image.empty() ? policy.host_cleanup_image : cleanup.image},
                       {"args", arguments(removal)},
                       {"terminationMessagePolicy", "FallbackToLogsOnError"},
                       {"securityContext", security_context(server_minor)}};
  bj::object spec{{"nodeName", removal.spec.node_name},
                  {"hostPID", true},
                  {"hostNetwork", true},  // so that it needs no CNI plugin
                  {"restartPolicy", "Never"},
                  {"automountServiceAccountToken", false},
                  {"enableServiceLinks", false},
                  {"terminationGracePeriodSeconds", 1},
                  {"activeDeadlineSeconds", cleanup.timeout_seconds},
                  {"tolerations", bj::array{bj::object{{"operator", "Exists"}}}},
                  {"containers", bj::array{std::move(container)}}};
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", metadata(removal)},
          {"spec", std::move(spec)}};
}

bool is_hand_over_pod(const crd::Pod& pod) {
  const auto* controller = pod.meta.controller();
  return controller != nullptr && controller->kind == crd::kKind &&
         pod.meta.labels.contains(std::string{kLabel});
}

}  // namespace reconcilers
