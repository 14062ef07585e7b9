#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "controller/kube_client.hpp"

namespace controller {

/// Bodies of the destructive requests, byte for byte what is sent. They have their own functions
/// (and golden tests) because a misspelt key is ignored by the server even with
/// fieldValidation=Strict, and then the wrong object is deleted (measured on 1.36). All
/// preconditions must be non-empty; the caller has checked that.

/// DeleteOptions with the UID as precondition and, unless empty, the resourceVersion.
std::string delete_options(const std::string& uid, const std::string& resource_version,
                           std::optional<std::chrono::seconds> grace);

/// Eviction of one pod with its UID as precondition. `api_version`: "policy/v1" or
/// "policy/v1beta1". A dry run is asked for in here: in the query it is ignored when there is a
/// body (measured on 1.36).
std::string eviction(const std::string& api_version, const PodRef& pod,
                     std::optional<std::chrono::seconds> grace, bool dry_run);

}  // namespace controller
