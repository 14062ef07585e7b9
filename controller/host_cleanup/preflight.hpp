#pragma once

#include <optional>
#include <string>

#include "controller/host_cleanup/step.hpp"

namespace host_cleanup {

/// Why this machine cannot be cleaned as the plan says, seen before anything is changed; nullopt
/// when nothing stands in the way.
std::optional<Outcome> problem_with_machine(const crd::CleanupPlan& plan);

}  // namespace host_cleanup
