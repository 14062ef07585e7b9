#pragma once

#include <vector>

#include "crd/core_types.hpp"
#include "reconcilers/round.hpp"

namespace reconcilers {

/// Writes to status.plan what the removal does with each of these pods, as far as it is known now.
/// Refusals of evictions that were tried (Observation::trials) block.
void write_plan(Round& round, const std::vector<crd::Pod>& pods);

/// With dryRun: writes the plan and ends the removal, which has touched nothing.
Step plan_only(Round& round);

}  // namespace reconcilers
