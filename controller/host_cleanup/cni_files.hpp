#pragma once

#include <expected>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace host_cleanup {

/// Whose a file in /etc/cni/net.d is. podman, nerdctl and CRI-O keep theirs in the same folder, and
/// would lose their networks with it.
enum class ConfigOwner {
  Kubernetes,  ///< of a plugin that is there for Kubernetes only, such as flannel: deleted
  Other,       ///< of podman, nerdctl or CRI-O: stays, and so do the addresses of its networks
  Unknown,     ///< moved aside: a new cluster must not find it, and nobody must lose it
};

/// `text`: what the file says; "" for a folder.
ConfigOwner owner_of_config(std::string_view file_name, std::string_view text);

/// The name of the network that a configuration is of; "" when it names none.
std::string network_of_config(std::string_view text);

/// What is to be done with files of CNI plugins.
struct FilePlan {
  std::vector<std::filesystem::path> remove;
  std::vector<std::filesystem::path> move_aside;  ///< from /etc/cni/net.d
  /// Why nothing of /var/lib/cni is removed: it is, or has in it, a mount or leads elsewhere.
  std::vector<std::string> elsewhere;
  bool empty() const { return remove.empty() && move_aside.empty(); }
};

/// Looks at /etc/cni/net.d, /var/lib/cni and /run/flannel.
FilePlan plan_cni_files();

/// Does it; names of files that are moved get ".noderemoval-" and `mark` at their end. Returns what
/// went wrong, "" when nothing.
std::string carry_out(const FilePlan& plan, const std::string& mark);

}  // namespace host_cleanup
