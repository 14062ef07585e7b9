// What real API servers of 1.36 and 1.20 answered to the calls of the client, as the conformance
// test in test/e2e recorded it, is played to the client again.

#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "controller/api_status.hpp"
#include "test/fake/client_fixture.hpp"
#include "test/fake/delete_gate.hpp"

namespace controller {
namespace {

namespace json = boost::json;

constexpr std::string_view kUid = "00000000-0000-4000-8000-000000000000";
constexpr std::string_view kLastPage =
    R"({"kind":"PodList","metadata":{"resourceVersion":"1000"},"items":[]})";
constexpr Resource kRemovals{"apis/noderemoval.dev/v1alpha1", "noderemovals", "NodeRemoval", false};

std::string text(const json::value& value) { return std::string(value.as_string()); }

json::array recorded_cases() {
  std::ifstream file(NODEREMOVAL_SOURCE_DIR "/test/fake/api_answers.json");
  std::stringstream content;
  content << file.rdbuf();
  return json::parse(content.str()).as_array();
}

fake::Reply reply_with(const json::object& recorded) {
  std::string body;
  if (const auto* object = recorded.if_contains("body")) body = json::serialize(*object);
  if (const auto* plain = recorded.if_contains("text")) body = text(*plain);
  if (const auto* event = recorded.if_contains("event")) body = json::serialize(*event);
  const auto retry_after = text(recorded.at("retryAfter"));
  return fake::answer(static_cast<int>(recorded.at("status").as_int64()), body,
                      text(recorded.at("contentType")),
                      retry_after.empty() ? "" : "Retry-After: " + retry_after + "\r\n");
}

template <typename T>
std::optional<KubeError> error_of(const Result<T>& result) {
  return result ? std::nullopt : std::optional(result.error());
}

class RecordedAnswers : public fake::ClientFixture {
 protected:
  /// nullopt when the client believes the answer.
  std::optional<KubeError> call(const std::string& what) {
    auto& kube = client();
    const PodRef pod{"default", "web-1", std::string(kUid)};
    const ObjectRef removal{kRemovals, "", "r1"};
    if (what == "get node") return error_of(run(kube.get(node("n1"))));
    if (what == "list") return error_of(run(kube.list(pods())));
    if (what == "watch") return watch_error();
    if (what == "patch node") return error_of(run(kube.patch(node("n1"), "", {})));
    if (what == "patch removal") return error_of(run(kube.patch(removal, "", {})));
    if (what == "create") return error_of(run(kube.create({kRemovals, ""}, named("r1"))));
    if (what == "evict") return error_of(run(kube.evict(pod, std::nullopt, false)));
    if (what == "delete pod") return error_of(run(kube.delete_pod(pod, std::nullopt)));
    if (what == "delete node") {
      auto permit = reconcilers::DeleteGate::permit("n1", std::string(kUid), "1000");
      return error_of(run(kube.delete_node(std::move(permit))));
    }
    throw std::runtime_error("unknown call: " + what);
  }

 private:
  static ListRequest pods() {
    ListRequest request{};
    request.collection = {kPods, ""};
    return request;
  }

  static json::object named(const std::string& name) {
    return {{"metadata", json::object{{"name", name}}}};
  }

  std::optional<KubeError> watch_error() {
    WatchRequest request{};
    request.collection = {kPods, ""};
    request.resource_version = "1000";
    auto stream = run(client().watch(std::move(request)));
    if (!stream) return stream.error();
    const auto event = run((*stream)->next());
    if (!event) return event.error();
    if (!*event || (*event)->type != WatchEvent::Type::Error) return std::nullopt;
    return error_from_status("WATCH pods", (*event)->object);
  }
};

TEST_F(RecordedAnswers, MeanToTheClientWhatTheyMeanToTheServer) {
  const auto cases = recorded_cases();
  ASSERT_FALSE(cases.empty());
  for (const auto& one : cases) {
    for (const auto& [version, recorded] : one.at("answers").as_object()) {
      SCOPED_TRACE(text(one.at("name")) + " on " + std::string(version));
      server_.on_request([&](const fake::Request& request) {
        const bool rest_of_list = request.target.contains("continue=");
        return rest_of_list ? fake::answer(200, kLastPage) : reply_with(recorded.as_object());
      });
      forget_client();
      const auto error = call(text(one.at("call")));
      const auto means = error ? std::string(to_string(error->kind)) : "Success";
      EXPECT_EQ(means, text(one.at("means"))) << (error ? error->message : "");
    }
  }
}

TEST_F(RecordedAnswers, TellABudgetFromAnOverload) {
  for (const auto& one : recorded_cases()) {
    if (one.at("name") != "evict a pod that a budget guards") continue;
    for (const auto& [version, recorded] : one.at("answers").as_object()) {
      server_.on_request([&](const fake::Request&) { return reply_with(recorded.as_object()); });
      const auto error = call("evict");
      ASSERT_TRUE(error) << version;
      EXPECT_TRUE(error->has_cause("DisruptionBudget")) << version << ": " << error->message;
    }
  }
}

}  // namespace
}  // namespace controller
