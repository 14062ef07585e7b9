#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <string>
#include <string_view>

#include "controller/error.hpp"

namespace controller {

/// An answer of the API server as it came. `content_type` and `retry_after` are headers, "" when
/// absent.
struct ApiAnswer {
  int status = 0;
  std::string_view content_type;
  std::string_view retry_after;
  std::string_view body;
};

/// What the request was about. Only a 404 that names this object is NotFound.
struct Asked {
  std::string_view plural;
  std::string_view kind;
  std::string name;  ///< empty for a collection, which cannot be NotFound
};

/// One line of bounded length, safe for a log: what a server or proxy sent may hold anything.
std::string one_line(std::string_view text);

/// Fails with "of type text/html" or the like for what was not sent as JSON.
std::expected<void, std::string> check_json(std::string_view content_type);

/// Unknown: an answer with the code of a success whose body is of no use, because of `problem`.
KubeError unusable_body(std::string_view request, int status, std::string_view problem);

/// The object in a 2xx answer; Unknown when the answer is not one JSON object sent as JSON.
/// `request` is how messages name the request, as in "GET https://host:6443/api/v1/nodes/n1".
Result<boost::json::object> object_from_answer(std::string_view request, const ApiAnswer& answer);

/// What an answer other than 2xx means. Total: whatever the body is, there is an error for it.
KubeError error_from_answer(std::string_view request, const Asked& asked, const ApiAnswer& answer);

/// The same for the Status in an ERROR event of a watch.
KubeError error_from_status(std::string_view request, const boost::json::object& status);

}  // namespace controller
