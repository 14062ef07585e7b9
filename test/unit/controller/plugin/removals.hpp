#pragma once

#include <boost/json/parse.hpp>
#include <chrono>
#include <string>

#include "controller/plugin/line.hpp"
#include "crd/node_removal.hpp"

/// NodeRemovals as the API server sends them, and the time at which they are looked at.
namespace plugin {

inline const crd::TimePoint kNow = *crd::parse_rfc3339("2026-01-31T08:15:00Z");

inline boost::json::object object_of(const std::string& spec, const std::string& status,
                                     const std::string& metadata = "") {
  return boost::json::parse(R"({"apiVersion":"noderemoval.dev/v1alpha1","kind":"NodeRemoval",
    "metadata":{"name":"jetson","uid":"r-1","resourceVersion":"10",
    "creationTimestamp":"2026-01-31T08:10:50Z")" +
                            metadata + R"(},"spec":{)" + spec + R"(},"status":{)" + status + "}}")
      .as_object();
}

inline crd::NodeRemoval removal_of(const std::string& spec, const std::string& status,
                                   const std::string& metadata = "") {
  return crd::node_removal_from_json(object_of(spec, status, metadata));
}

inline std::string condition(const std::string& type, const std::string& status,
                             const std::string& reason, const std::string& message = "",
                             const std::string& time = "2026-01-31T08:11:00Z") {
  return R"({"type":")" + type + R"(","status":")" + status + R"(","reason":")" + reason +
         R"(","message":")" + message + R"(","lastTransitionTime":")" + time + R"("})";
}

inline const std::string kJetson = R"("nodeName":"jetson")";

/// Blocked by a budget, in the middle of the drain.
inline std::string blocked_status() {
  return R"("nodeUID":"3f2c9e1a","pods":{"total":24,"evicted":12,"terminating":2,"blocked":1,
    "remaining":12,"skipped":4},"conditions":[)" +
         condition("Accepted", "True", "Accepted", "Bound to Node jetson with UID 3f2c9e1a") + "," +
         condition("Cordoned", "True", "Cordoned", "Node jetson takes no new pods",
                   "2026-01-31T08:11:05Z") +
         "," +
         condition("Drained", "Unknown", "DrainBlocked", "1 pod cannot leave: shop/db-0 (...)",
                   "2026-01-31T08:11:10Z") +
         "," + condition("Succeeded", "Unknown", "DrainBlocked", "1 pod cannot leave: ...") +
         R"(],"blockers":[{"pod":"shop/db-0","uid":"p-1","reason":"PodDisruptionBudget",
    "message":"budget shop/db needs 2 healthy pods and has 2; raise the replicas",
    "pdb":"shop/db","since":"2026-01-31T08:12:29Z"}])";
}

inline crd::NodeRemoval blocked() { return removal_of(kJetson, blocked_status()); }

inline std::string ended_status(const std::string& status, const std::string& reason,
                                const std::string& message) {
  return R"("completionTime":"2026-01-31T08:14:00Z","pods":{"total":2,"evicted":2},"conditions":[)" +
         condition("Succeeded", status, reason, message) + "]";
}

}  // namespace plugin
