#pragma once

#include <string>

namespace reconcilers {

/// The name of the NodeRemoval for one node of a nodeSelector: always the same for the same two, at
/// most 253 characters.
std::string child_name(const std::string& parent, const std::string& node);

}  // namespace reconcilers
