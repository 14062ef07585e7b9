#pragma once

#include <boost/json/object.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace host_cleanup {

/// What has to be known of the kubelet, and is no longer to be seen when it is stopped and reset.
struct KubeletFacts {
  std::string kubeconfig;              ///< path; empty: not known
  std::string runtime_endpoint;        ///< such as unix:///run/containerd/containerd.sock; likewise
  std::string root_folder;             ///< of --root-dir; empty: /var/lib/kubelet
  std::string certificate_folder;      ///< of --cert-dir; empty: below the root folder
  std::vector<std::string> addresses;  ///< of its node, as far as known
  bool operator==(const KubeletFacts&) const = default;
};

inline constexpr std::string_view kKubeletFolder = "/var/lib/kubelet";
inline constexpr std::string_view kKubernetesFolder = "/etc/kubernetes";
inline constexpr std::string_view kKubeletConf = "/etc/kubernetes/kubelet.conf";

/// The last value of `--name=value` or `--name value`; nullopt when it is not given.
std::optional<std::string> flag_of(const std::vector<std::string>& arguments,
                                   std::string_view name);

/// `read` gives the text of a file, "" when there is none.
KubeletFacts facts_of(const std::vector<std::string>& kubelet_arguments,
                      const std::function<std::string(const std::filesystem::path&)>& read);

/// Of the kubelet that runs on this machine; of what kubeadm has written for it when none runs.
KubeletFacts facts_of_this_machine();

/// Members that `known` has, and else those of `older`.
KubeletFacts merged(KubeletFacts known, const KubeletFacts& older);

boost::json::object to_json(const KubeletFacts& facts);
/// Empty where the text says nothing.
KubeletFacts facts_from_text(std::string_view text);

}  // namespace host_cleanup
