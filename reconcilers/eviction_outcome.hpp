#pragma once

#include <array>
#include <chrono>
#include <string_view>

#include "controller/error.hpp"
#include "crd/core_types.hpp"
#include "reconcilers/observation.hpp"

namespace reconcilers {

/// How a refused or failed request for one pod reads in status and when it is sent again. Pure.
/// `attempt` counts the refusals before this one; `random` is in [0, 1).
/// Waits 1 s, 2 s, 4 s, ... 30 s with jitter; a Retry-After of the server is honoured between 1 s
/// and 60 s.
Refusal refusal_from(const controller::KubeError& error, int attempt, double random,
                     crd::TimePoint now);

/// The same refusal, with what the budget says about it: that it can never let a pod go, or that
/// its status is not up to date.
Refusal explained_by(const crd::DisruptionBudget& budget, Refusal refusal);

/// What eviction_result() may say.
inline constexpr auto kEvictionResults = std::to_array<std::string_view>(
    {"accepted", "blocked_by_budget", "busy", "conflict", "failed", "forbidden", "gone",
     "multiple_budgets", "namespace_terminating", "refused", "unknown"});

/// The answer to an eviction in one word.
std::string_view eviction_result(const controller::Result<void>& answer);

}  // namespace reconcilers
