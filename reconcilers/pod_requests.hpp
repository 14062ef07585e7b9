#pragma once

#include <vector>

#include "reconcilers/act.hpp"

namespace reconcilers {

/// Sends Evict, DeletePod and ClearPod, several at a time, and notes in the session how they were
/// answered. The gate has let them pass; what it cannot send soon after that is left to the next
/// round. Both outlive the call.
controller::awaitable<void> send_for_pods(ActContext& context, const std::vector<Action>& actions);

}  // namespace reconcilers
