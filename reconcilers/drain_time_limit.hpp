#pragma once

#include <cstdint>
#include <optional>

#include "crd/core_types.hpp"
#include "crd/node_removal.hpp"
#include "reconcilers/decision.hpp"
#include "reconcilers/round.hpp"

/// What drain.timeoutSeconds and drain.onTimeout mean for a Ready node. The time counts from when
/// Drained became Unknown, so it is the same after a restart.
namespace reconcilers {

/// The grace period to send: nullopt leaves the pod its own. Never below 1 s.
std::optional<std::int64_t> grace_to_ask_for(const crd::Pod& pod, const crd::DrainSpec& drain);

/// With onTimeout: Delete, the deletion that this pod needs now so that it is gone, after its full
/// grace period, when the time is over. Budgets are respected in the first half of the time
/// whatever the grace period is; a pod that needs longer than the second half gets what is left.
/// Sees to it that we look again when the pod's time comes.
std::optional<Evict> delete_before_time_limit(Round& round, const crd::Pod& pod);

/// True when the removal has to end because of the limit. Pods that were deleted get the usual
/// margin to go; when nothing was deleted because somebody's word is missing, none.
bool drain_is_over(Round& round, bool needs_word);

}  // namespace reconcilers
