#include "controller/error.hpp"

namespace controller {

std::string_view to_string(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::NotFound:
      return "NotFound";
    case ErrorKind::Conflict:
      return "Conflict";
    case ErrorKind::Gone:
      return "Gone";
    case ErrorKind::TooManyRequests:
      return "TooManyRequests";
    case ErrorKind::Invalid:
      return "Invalid";
    case ErrorKind::Unauthorized:
      return "Unauthorized";
    case ErrorKind::Forbidden:
      return "Forbidden";
    case ErrorKind::ServerError:
      return "ServerError";
    case ErrorKind::NotSent:
      return "NotSent";
    case ErrorKind::Unknown:
      return "Unknown";
  }
  return "Unknown";
}

}  // namespace controller
