#pragma once

#include <expected>
#include <filesystem>
#include <string>

namespace host_cleanup {

/// The credentials of the kubelet in memory (/run), where they outlive `kubeadm reset` and not the
/// machine's next start. They let the machine say what became of it.
class CredentialsCopy {
 public:
  explicit CredentialsCopy(const std::string& removal_uid);

  /// Copies what the kubeconfig says and what it refers to. Keeps an older copy when that is not
  /// possible, such as after a reset. Fails with a sentence when there is no copy then.
  std::expected<void, std::string> make(const std::filesystem::path& kubeconfig) const;

  /// Overwrites and deletes it.
  void wipe() const;

  std::filesystem::path kubeconfig() const { return folder_ / "kubeconfig"; }

 private:
  std::filesystem::path folder_;
};

}  // namespace host_cleanup
