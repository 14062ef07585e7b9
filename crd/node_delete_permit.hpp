#pragma once

#include <string>
#include <utility>

namespace reconcilers {
class DeleteGate;
}

namespace crd {

/// The right to send one `DELETE` for one Node object, in one version of it. Only the gate of the
/// reconciler can make one, after it has compared fresh quorum reads with the rules; the client has
/// no other way to delete a node. Move-only, so a permit is used at most once.
class NodeDeletePermit {
 public:
  NodeDeletePermit(NodeDeletePermit&&) noexcept = default;
  NodeDeletePermit& operator=(NodeDeletePermit&&) noexcept = default;
  NodeDeletePermit(const NodeDeletePermit&) = delete;
  NodeDeletePermit& operator=(const NodeDeletePermit&) = delete;
  ~NodeDeletePermit() = default;

  const std::string& name() const { return name_; }
  const std::string& uid() const { return uid_; }
  const std::string& resource_version() const { return resource_version_; }

 private:
  friend class reconcilers::DeleteGate;
  NodeDeletePermit(std::string name, std::string uid, std::string resource_version)
      : name_(std::move(name)),
        uid_(std::move(uid)),
        resource_version_(std::move(resource_version)) {}

  std::string name_;
  std::string uid_;
  std::string resource_version_;
};

}  // namespace crd
