#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reconcilers {

/// "a, b, c and 4 more": at most three names, so that a message stays readable and bounded.
std::string name_some(const std::vector<std::string>& names);

/// "1 pod", "3 pods".
std::string count_of(std::size_t number, std::string_view singular);

/// Why a finished removal that somebody would create again is kept.
inline constexpr std::string_view kTtlIgnored =
    "spec.ttlSecondsAfterFinished is ignored, because Argo CD, Flux or Helm would create this "
    "object again and it would remove a node that joins under the name; to use it, pin the node "
    "with spec.nodeUID.";

/// How the message of a dry run ends that found nothing in the way but what its plan says.
inline constexpr std::string_view kPlanIsClear =
    "Create a NodeRemoval without dryRun to carry it out.";

}  // namespace reconcilers
