#include "controller/api_status.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <string>

namespace controller {
namespace {

using std::chrono::seconds;

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kRequest = "GET https://server:6443/api/v1/nodes/n1";
const Asked kNode{"nodes", "Node", "n1"};

ApiAnswer answer(int status, std::string_view body, std::string_view type = kJson,
                 std::string_view retry_after = "") {
  ApiAnswer out;
  out.status = status;
  out.content_type = type;
  out.retry_after = retry_after;
  out.body = body;
  return out;
}

std::string status_body(std::string_view reason, std::string_view details) {
  return R"({"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"words","reason":")" +
         std::string(reason) + R"(","details":)" + std::string(details) + "}";
}

ErrorKind kind_of(int status, std::string_view body, std::string_view type = kJson) {
  return error_from_answer(kRequest, kNode, answer(status, body, type)).kind;
}

TEST(NotFound, NeedsAStatusThatNamesTheObject) {
  EXPECT_EQ(kind_of(404, status_body("NotFound", R"({"name":"n1","kind":"nodes"})")),
            ErrorKind::NotFound);
  EXPECT_EQ(kind_of(404, status_body("NotFound", R"({"name":"n1","kind":"Node"})")),
            ErrorKind::NotFound);
}

TEST(NotFound, IsNothingElseThatSays404) {
  const std::pair<std::string, std::string_view> bodies[] = {
      {status_body("NotFound", R"({"name":"n2","kind":"nodes"})"), kJson},
      {status_body("NotFound", R"({"name":"n1","kind":"pods"})"), kJson},
      {status_body("NotFound", R"({"name":"n1"})"), kJson},
      {status_body("NotFound", R"({"kind":"nodes"})"), kJson},
      {status_body("NotFound", "{}"), kJson},
      {status_body("NotFound", "null"), kJson},
      {status_body("", R"({"name":"n1","kind":"nodes"})"), kJson},
      {status_body("NotFound", R"({"name":"n1","kind":"nodes"})"), "text/html"},
      {status_body("NotFound", R"({"name":"n1","kind":"nodes"})"), ""},
      {R"({"reason":"NotFound","details":{"name":"n1","kind":"nodes"}})", kJson},
      {"404 page not found\n", "text/plain; charset=utf-8"},
      {"<html>not here</html>", "text/html"},
      {"{}", kJson},
      {"[]", kJson},
      {"{", kJson},
      {"", ""},
  };
  for (const auto& [body, type] : bodies) {
    EXPECT_EQ(kind_of(404, body, type), ErrorKind::Unknown) << body;
  }
}

TEST(NotFound, IsNotSaidOfACollection) {
  const auto error =
      error_from_answer(kRequest, {"nodes", "Node", ""},
                        answer(404, status_body("NotFound", R"({"name":"","kind":"nodes"})")));
  EXPECT_EQ(error.kind, ErrorKind::Unknown);
}

TEST(ErrorFromAnswer, ClassifiesByCode) {
  const std::pair<int, ErrorKind> codes[] = {
      {400, ErrorKind::Invalid},         {401, ErrorKind::Unauthorized},
      {403, ErrorKind::Forbidden},       {405, ErrorKind::Unknown},
      {409, ErrorKind::Conflict},        {410, ErrorKind::Gone},
      {413, ErrorKind::Invalid},         {422, ErrorKind::Invalid},
      {429, ErrorKind::TooManyRequests}, {500, ErrorKind::ServerError},
      {503, ErrorKind::ServerError},     {504, ErrorKind::ServerError},
      {302, ErrorKind::Unknown},         {204, ErrorKind::Unknown},
      {599, ErrorKind::ServerError},     {600, ErrorKind::Unknown},
  };
  for (const auto& [code, kind] : codes) {
    EXPECT_EQ(kind_of(code, status_body("Reason", "{}")), kind) << code;
  }
}

TEST(ErrorFromAnswer, NeedsAStatusToBelieveInAConflictOrAnOldVersion) {
  EXPECT_EQ(kind_of(409, "<html>", "text/html"), ErrorKind::Unknown);
  EXPECT_EQ(kind_of(410, "<html>", "text/html"), ErrorKind::Unknown);
  EXPECT_EQ(kind_of(403, "<html>", "text/html"), ErrorKind::Forbidden);
  EXPECT_EQ(kind_of(429, "Too many requests, please try again later.", "text/plain"),
            ErrorKind::TooManyRequests);
  EXPECT_EQ(kind_of(503, "<html>", "text/html"), ErrorKind::ServerError);
}

TEST(ErrorFromAnswer, KeepsReasonCausesAndRetryAfter) {
  const auto body = status_body(
      "TooManyRequests",
      R"({"causes":[{"reason":"DisruptionBudget","message":"needs 2","field":"f"},7],"retryAfterSeconds":10})");
  const auto error = error_from_answer(kRequest, kNode, answer(429, body));
  EXPECT_EQ(error.reason, "TooManyRequests");
  ASSERT_EQ(error.causes.size(), 1u);
  EXPECT_EQ(error.causes[0], (ErrorCause{"DisruptionBudget", "needs 2", "f"}));
  EXPECT_TRUE(error.has_cause("DisruptionBudget"));
  EXPECT_EQ(error.retry_after, seconds(10));
}

TEST(ErrorFromAnswer, ReadsOnlyWholeSecondsFromRetryAfter) {
  const std::pair<std::string_view, std::optional<seconds>> values[] = {
      {"", std::nullopt},
      {"1", seconds(1)},
      {"0", seconds(0)},
      {"86400", seconds(86400)},
      {"-1", std::nullopt},
      {"abc", std::nullopt},
      {"1.5", std::nullopt},
      {" 1", std::nullopt},
      {"1 ", std::nullopt},
      {"+1", std::nullopt},
      {"99999999999", std::nullopt},
      {"Fri, 31 Dec 1999 23:59:59 GMT", std::nullopt},
  };
  for (const auto& [text, expected] : values) {
    EXPECT_EQ(error_from_answer(kRequest, kNode, answer(429, "", "", text)).retry_after, expected)
        << text;
  }
}

TEST(ErrorFromAnswer, KeepsTheCauseOfATooLargeResourceVersion) {
  const auto body = status_body(
      "Timeout",
      R"({"causes":[{"reason":"ResourceVersionTooLarge","message":"m"}],"retryAfterSeconds":1})");
  const auto error = error_from_answer(kRequest, kNode, answer(504, body));
  EXPECT_EQ(error.kind, ErrorKind::ServerError);
  EXPECT_TRUE(error.has_cause("ResourceVersionTooLarge"));
}

TEST(ErrorMessage, ReadsAsASentence) {
  const auto forbidden =
      R"({"kind":"Status","reason":"Forbidden","message":"nodes \"n1\" is forbidden: User \"u\" cannot get resource \"nodes\""})";
  EXPECT_EQ(error_from_answer(kRequest, kNode, answer(403, forbidden)).message,
            "GET https://server:6443/api/v1/nodes/n1: 403 Forbidden: nodes \"n1\" is forbidden: "
            "User \"u\" "
            "cannot get resource \"nodes\"");
  EXPECT_EQ(
      error_from_answer(kRequest, kNode, answer(404, "404 page not found\n", "text/plain")).message,
      "GET https://server:6443/api/v1/nodes/n1: 404 without a Status of the API server: "
      "404 page not found (does this server serve the resource?)");
  EXPECT_EQ(
      error_from_answer(kRequest, kNode,
                        answer(404, status_body("NotFound", R"({"name":"x","kind":"namespaces"})")))
          .message,
      "GET https://server:6443/api/v1/nodes/n1: 404 NotFound: words (about namespaces \"x\", which "
      "is "
      "not what was asked for)");
  EXPECT_EQ(error_from_answer(kRequest, kNode, answer(302, "", "")).message,
            "GET https://server:6443/api/v1/nodes/n1: 302 without a Status of the API server "
            "(redirects are "
            "not followed)");
}

TEST(ErrorMessage, IsOneLineOfBoundedLength) {
  const auto error = error_from_answer(
      kRequest, kNode, answer(500, "a\nb\x01" + std::string(5000, '\xc3'), "text/plain"));
  EXPECT_EQ(error.message.find('\n'), std::string::npos);
  EXPECT_LT(error.message.size(), 1200u);
}

TEST(ErrorMessage, KeepsTheReasonAtTheEndOfALongOne) {
  const auto quoted = R"(NodeRemoval is invalid: spec.nodeName: Invalid value: \"abc)" +
                      std::string(5000, 'x') + R"(\": must be no longer than 253 characters)";
  const auto error = error_from_answer(
      kRequest, kNode,
      answer(422, R"({"kind":"Status","reason":"Invalid","message":")" + quoted + R"("})"));
  EXPECT_LT(error.message.size(), 1200u);
  EXPECT_THAT(error.message, testing::HasSubstr("spec.nodeName: Invalid value: \"abcxxx"));
  EXPECT_THAT(error.message, testing::HasSubstr("xxx ... xxx"));
  EXPECT_TRUE(error.message.ends_with("xxx\": must be no longer than 253 characters"))
      << error.message;
}

TEST(ObjectFromAnswer, TakesOneJsonObject) {
  const auto object =
      object_from_answer(kRequest, answer(200, R"({"a":1})", "Application/JSON; charset=utf-8"));
  ASSERT_TRUE(object);
  EXPECT_EQ(object->at("a"), 1);
}

TEST(ObjectFromAnswer, IsUnknownForAnythingElse) {
  const std::pair<std::string, std::string_view> bodies[] = {
      {"{}", "text/html"},
      {"{}", ""},
      {"{}", "application/jsonp"},
      {"[]", kJson},
      {"", kJson},
      {"{", kJson},
      {"{}{}", kJson},
      {"{} x", kJson},
      {"null", kJson},
      {"<html>", kJson},
      {"{\"a\":\"\xff\"}", kJson},
      {std::string(100, '['), kJson},
  };
  for (const auto& [body, type] : bodies) {
    const auto object = object_from_answer(kRequest, answer(200, body, type));
    ASSERT_FALSE(object) << body;
    EXPECT_EQ(object.error().kind, ErrorKind::Unknown) << body;
    EXPECT_EQ(object.error().http_status, 200) << body;
  }
  EXPECT_EQ(object_from_answer(kRequest, answer(200, "<html>", "text/html")).error().message,
            "GET https://server:6443/api/v1/nodes/n1: 200 with a body of type text/html");
}

TEST(ErrorFromStatus, ReadsTheCodeInAWatchEvent) {
  const auto status = boost::json::parse(
      R"_({"kind":"Status","code":410,"reason":"Expired","message":"too old resource version: 1 (2)"})_");
  const auto error = error_from_status("WATCH nodes", status.as_object());
  EXPECT_EQ(error.kind, ErrorKind::Gone);
  EXPECT_EQ(error.http_status, 410);
  EXPECT_EQ(error.reason, "Expired");
  EXPECT_EQ(error.message, "WATCH nodes: 410 Expired: too old resource version: 1 (2)");
}

TEST(ErrorFromStatus, IsUnknownWithoutAUsableCode) {
  for (const std::string_view text :
       {R"({})", R"({"code":"410"})", R"({"code":200})", R"({"code":-1})",
        R"({"code":404,"reason":"NotFound"})", R"({"code":4294967706})"}) {
    EXPECT_EQ(error_from_status("WATCH nodes", boost::json::parse(text).as_object()).kind,
              ErrorKind::Unknown)
        << text;
  }
}

}  // namespace
}  // namespace controller
