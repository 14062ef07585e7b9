#pragma once

#include <string>
#include <utility>

#include "crd/node_delete_permit.hpp"

namespace reconcilers {

/// Stands in for the gate, which alone can make permits.
class DeleteGate {
 public:
  static crd::NodeDeletePermit permit(std::string name, std::string uid, std::string version) {
    return crd::NodeDeletePermit(std::move(name), std::move(uid), std::move(version));
  }
};

}  // namespace reconcilers
