#include "controller/api_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "crd/json.hpp"

namespace controller {
namespace {

namespace json = boost::json;
using crd::json::object_at;
using crd::json::string_at;

constexpr std::size_t kMaxDepth = 64;      // objects of the API nest deeper than Boost.JSON's 32
constexpr std::size_t kMaxMessage = 1024;  // of what the server says; it may quote a whole object
constexpr std::size_t kMaxCauses = 32;

bool continues_a_character(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

/// Shortened in its middle: an API server that refuses a value quotes it first and says why last.
std::string shortened(std::string_view text) {
  if (text.size() <= kMaxMessage) return std::string(text);
  std::size_t head = kMaxMessage / 2;
  while (head > 0 && continues_a_character(text[head])) --head;
  std::size_t tail = text.size() - kMaxMessage / 2;
  while (tail < text.size() && continues_a_character(text[tail])) ++tail;
  return fmt::format("{} ... {}", text.substr(0, head), text.substr(tail));
}

std::expected<json::object, std::string> parse_object(const ApiAnswer& answer) {
  if (const auto sent = check_json(answer.content_type); !sent) {
    return std::unexpected(sent.error());
  }
  json::parse_options options;
  options.max_depth = kMaxDepth;
  boost::system::error_code error;
  auto value = json::parse(answer.body, error, {}, options);
  if (error) return std::unexpected(fmt::format("that is not valid JSON ({})", error.message()));
  if (auto* object = value.if_object()) return std::move(*object);
  return std::unexpected("that is JSON but not an object");
}

/// Only whole seconds; a date or anything else counts as absent.
std::optional<std::chrono::seconds> seconds_from(std::string_view text) {
  std::uint32_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds(seconds);
}

std::optional<std::chrono::seconds> retry_after_seconds(const json::object& details) {
  const auto seconds = crd::json::int_at(details, "retryAfterSeconds");
  if (!seconds || *seconds <= 0) return std::nullopt;
  return std::chrono::seconds(*seconds);
}

std::vector<ErrorCause> causes_of(const json::object& details) {
  std::vector<ErrorCause> out;
  const auto* causes = crd::json::array_at(details, "causes");
  if (causes == nullptr) return out;
  for (const auto& one : *causes) {
    const auto* cause = one.if_object();
    if (cause == nullptr || out.size() == kMaxCauses) continue;
    out.push_back(ErrorCause{string_at(*cause, "reason"), one_line(string_at(*cause, "message")),
                             string_at(*cause, "field")});
  }
  return out;
}

/// The kind that the code alone tells. Proofs of something (absence, a conflict) need a Status.
ErrorKind kind_of_code(int code, bool with_status) {
  switch (code) {
    case 400:
    case 413:
    case 422:
      return ErrorKind::Invalid;
    case 401:
      return ErrorKind::Unauthorized;
    case 403:
      return ErrorKind::Forbidden;
    case 409:
      return with_status ? ErrorKind::Conflict : ErrorKind::Unknown;
    case 410:
      return with_status ? ErrorKind::Gone : ErrorKind::Unknown;
    case 429:
      return ErrorKind::TooManyRequests;
    default:
      return code >= 500 && code <= 599 ? ErrorKind::ServerError : ErrorKind::Unknown;
  }
}

KubeError from_status(std::string_view request, int code, const json::object& status) {
  KubeError out;
  out.http_status = code;
  out.kind = kind_of_code(code, true);
  out.reason = string_at(status, "reason");
  if (const auto* details = object_at(status, "details")) {
    out.causes = causes_of(*details);
    out.retry_after = retry_after_seconds(*details);
  }
  const auto title =
      out.reason.empty() ? std::to_string(code) : fmt::format("{} {}", code, one_line(out.reason));
  out.message = fmt::format("{}: {}: {}", request, title, one_line(string_at(status, "message")));
  return out;
}

/// 404 has many authors: the storage (which names the object), a namespace that is missing, a group
/// that is not served, a proxy. Only the first is a proof of absence.
void judge_absence(KubeError& error, const Asked& asked, const json::object& status) {
  const auto* details = object_at(status, "details");
  const auto name = details != nullptr ? string_at(*details, "name") : std::string();
  const auto kind = details != nullptr ? string_at(*details, "kind") : std::string();
  if (name.empty()) {
    error.message += " (names no object: does this server serve the resource?)";
  } else if (asked.name.empty() || name != asked.name ||
             (kind != asked.plural && kind != asked.kind)) {
    error.message += fmt::format(" (about {} \"{}\", which is not what was asked for)",
                                 one_line(kind), one_line(name));
  } else if (error.reason == "NotFound") {
    error.kind = ErrorKind::NotFound;
  }
}

}  // namespace

std::string one_line(std::string_view text) {
  auto out = shortened(text);
  std::ranges::replace_if(out, [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  out.erase(out.find_last_not_of(' ') + 1);
  return out;
}

std::expected<void, std::string> check_json(std::string_view content_type) {
  constexpr std::string_view kJson = "application/json";
  const auto media_type = content_type.substr(0, content_type.find_first_of("; \t"));
  const bool same = std::ranges::equal(media_type, kJson, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
  if (same) return {};
  return std::unexpected(content_type.empty() ? "without Content-Type"
                                              : fmt::format("of type {}", one_line(content_type)));
}

KubeError unusable_body(std::string_view request, int status, std::string_view problem) {
  KubeError error;
  error.http_status = status;
  error.message = fmt::format("{}: {} with a body {}", request, status, problem);
  return error;
}

Result<json::object> object_from_answer(std::string_view request, const ApiAnswer& answer) {
  auto object = parse_object(answer);
  if (object) return std::move(*object);
  return std::unexpected(unusable_body(request, answer.status, object.error()));
}

KubeError error_from_answer(std::string_view request, const Asked& asked, const ApiAnswer& answer) {
  KubeError error;
  const auto status = parse_object(answer);
  if (status && string_at(*status, "kind") == "Status") {
    error = from_status(request, answer.status, *status);
    if (answer.status == 404) judge_absence(error, asked, *status);
  } else {
    error.http_status = answer.status;
    error.kind = kind_of_code(answer.status, false);
    error.message =
        fmt::format("{}: {} without a Status of the API server{}{}", request, answer.status,
                    answer.body.empty() ? "" : ": ", one_line(answer.body));
    if (answer.status == 404) error.message += " (does this server serve the resource?)";
    if (answer.status / 100 == 3) error.message += " (redirects are not followed)";
  }
  if (const auto after = seconds_from(answer.retry_after)) error.retry_after = after;
  return error;
}

KubeError error_from_status(std::string_view request, const json::object& status) {
  const auto code = crd::json::int_at(status, "code").value_or(0);
  return from_status(request, code >= 400 && code <= 599 ? static_cast<int>(code) : 0, status);
}

}  // namespace controller
