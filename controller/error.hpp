#pragma once

#include <chrono>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace controller {

/// What a failed request means. Classified once, at the edge of the client; nobody else reads
/// status codes.
enum class ErrorKind {
  NotFound,  ///< a parsed 404 Status that names the object asked for: the only proof of absence
  Conflict,  ///< 409: a precondition (uid, resourceVersion) did not hold, or the object exists
             ///< already
  Gone,      ///< 410: the resourceVersion is too old; list again
  TooManyRequests,  ///< 429: a PodDisruptionBudget or priority-and-fairness; see `causes` and
                    ///< `retry_after`
  Invalid,  ///< 400, 413, 422: the server understood and refused; the same request will fail again
  Unauthorized,  ///< 401: the credentials were not accepted
  Forbidden,     ///< 403: RBAC, an admission policy, or a terminating namespace (see `causes`)
  ServerError,   ///< 5xx: the server could not; a write may or may not have happened
  NotSent,       ///< no connection: the request never reached the server
  Unknown,       ///< sent, but no usable answer (deadline, cut, not a Status): read again before
                 ///< concluding
};

/// One entry of `details.causes` of a Status, e.g. reason `DisruptionBudget`.
struct ErrorCause {
  std::string reason;
  std::string message;
  std::string field;
  bool operator==(const ErrorCause&) const = default;
};

/// An expected failure of a request, as a value.
struct KubeError {
  ErrorKind kind = ErrorKind::Unknown;
  int http_status = 0;  ///< 0 when there was no answer
  std::string reason;   ///< of the Status, e.g. "NotFound", "Expired", "TooManyRequests"
  std::string message;  ///< for humans: says the request, the reason and never a secret
  std::vector<ErrorCause> causes;
  std::optional<std::chrono::seconds> retry_after;  ///< as sent by the server, not yet clamped
  bool silent = false;  ///< an open watch said nothing for longer than the read-idle limit
  bool tls_verification = false;  ///< the peer's certificate was refused by us (with NotSent)

  bool has_cause(std::string_view cause_reason) const {
    for (const auto& cause : causes) {
      if (cause.reason == cause_reason) return true;
    }
    return false;
  }
  bool operator==(const KubeError&) const = default;
};

std::string_view to_string(ErrorKind kind);

template <typename T>
using Result = std::expected<T, KubeError>;

}  // namespace controller
