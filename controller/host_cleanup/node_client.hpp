#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "controller/error.hpp"

namespace host_cleanup {

/// One Node, seen with the credentials of its own kubelet. Every call reads the kubeconfig again,
/// as the kubelet may renew its certificate, and ends within a minute.
class NodeClient {
 public:
  NodeClient(std::filesystem::path kubeconfig, std::string node_name)
      : kubeconfig_(std::move(kubeconfig)), name_(std::move(node_name)) {}

  /// A kubeconfig that cannot be used is an error of kind NotSent.
  controller::Result<boost::json::object> get() const;
  /// Fails with Conflict or Invalid when the Node of that name has another UID.
  controller::Result<boost::json::object> annotate(const std::string& uid, std::string_view key,
                                                   const std::string& value) const;

 private:
  std::filesystem::path kubeconfig_;
  std::string name_;
};

}  // namespace host_cleanup
