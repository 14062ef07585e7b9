#pragma once

#include <optional>
#include <string>

#include "crd/node_removal.hpp"

namespace reconcilers {

struct SpecProblem {
  std::string reason;   ///< "InvalidSpec" or "NotImplemented"
  std::string message;  ///< names the field and says what to do
};

/// The rules of the CRD once more, for servers that ignore CEL (older than 1.25), and the fields
/// that this version does not act on: those are refused, never ignored. nullopt when the spec can
/// be carried out.
std::optional<SpecProblem> validate(const crd::NodeRemovalSpec& spec);

}  // namespace reconcilers
