#pragma once

#include <string>

#include "controller/kube_client.hpp"
#include "crd/time.hpp"
#include "reconcilers/events.hpp"

namespace reconcilers {

/// Writes an Event on the removal into the namespace "default", where those of cluster-scoped
/// objects belong. One that the API server does not take is logged and lost. `instance`: who
/// reports, such as the pod of the operator.
controller::awaitable<void> post_event(controller::KubeClient& client, crd::ObjectMeta removal,
                                       EventNote event, std::string instance, crd::TimePoint time);

}  // namespace reconcilers
