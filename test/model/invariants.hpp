#pragma once

#include <optional>
#include <string>

#include "test/model/operator.hpp"
#include "test/model/scenario.hpp"
#include "test/model/world.hpp"

/// What may never happen. Each sentence begins with the number of the invariant; README, "Why you
/// can trust it", lists them.
namespace model {

/// What is wrong with this request of the process, sent in this world; nullopt when nothing is.
std::optional<std::string> broken_by(const World& world, const Process& process,
                                     const Request& request, const Scenario& scenario,
                                     const Statuses& statuses);

/// What is wrong with this status, written in this world.
std::optional<std::string> broken_by_status(const World& world,
                                            const crd::NodeRemovalStatus& before,
                                            const crd::NodeRemovalStatus& after);

}  // namespace model
