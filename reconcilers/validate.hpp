#pragma once

#include <optional>
#include <string>

#include "crd/node_removal.hpp"
#include "reconcilers/policy.hpp"

namespace reconcilers {

struct SpecProblem {
  std::string reason;   ///< "InvalidSpec", "HostCleanupDisabled" or "ImageNotAllowed"
  std::string message;  ///< names the field and says what to do
};

/// The rules of the CRD once more, for servers that ignore CEL (older than 1.25). nullopt when the
/// spec can be carried out.
std::optional<SpecProblem> validate(const crd::NodeRemovalSpec& spec);

/// Why this operator cleans no machine for this spec: it was not given the right to, or not this
/// image.
std::optional<SpecProblem> refuse_host_cleanup(const crd::NodeRemovalSpec& spec,
                                               const Policy& policy);

}  // namespace reconcilers
