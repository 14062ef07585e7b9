#pragma once

#include "crd/time.hpp"
#include "reconcilers/decision.hpp"
#include "reconcilers/observation.hpp"
#include "reconcilers/policy.hpp"

namespace reconcilers {

/// What to do next for one NodeRemoval, given what was observed.
///
/// Pure, total and deterministic: the same input gives the same decision, missing or unknown facts
/// never lead to a destructive action, and with nothing changed a second call asks for no writes.
/// The step is recomputed from the observation every time, so any step may be the first one after a
/// restart; time limits come only from timestamps that are in status already. Every prefix of the
/// actions is safe: the process may die after each.
Decision decide(const Observation& seen, const Policy& policy, crd::WallTime time);

}  // namespace reconcilers
