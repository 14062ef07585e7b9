// Lines with the status, the content type and Retry-After, then the body.
#include <charconv>
#include <string>

#include "controller/api_status.hpp"
#include "controller/http_date.hpp"
#include "controller/list_page.hpp"
#include "crd/json.hpp"
#include "reconcilers/eviction_outcome.hpp"
#include "test/fuzz/fuzz_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  controller::ApiAnswer answer;
  const auto status = input.line();
  std::from_chars(status.data(), status.data() + status.size(), answer.status);
  answer.content_type = input.line();
  answer.retry_after = input.line();
  answer.body = input.rest();
  controller::parse_http_date(std::string(answer.retry_after));

  const controller::Asked asked{"nodes", "Node", "jetson"};
  const auto error = controller::error_from_answer("GET /n", asked, answer);
  fuzz::require(!error.message.empty(), "an error says what it is");
  if (error.kind == controller::ErrorKind::NotFound) {
    fuzz::require(answer.status == 404, "only a 404 can say that something is gone");
    fuzz::require(answer.body.find("jetson") != std::string_view::npos ||
                      answer.body.find('\\') != std::string_view::npos,
                  "only a Status that names the object can say that it is gone");
  }
  const auto refusal = reconcilers::refusal_from(error, 0, 0.5, crd::TimePoint{});
  fuzz::require(refusal.retry_at > crd::TimePoint{}, "a refused pod is not asked again at once");

  auto object = controller::object_from_answer("GET /n", answer);
  if (object) {
    controller::error_from_status("WATCH /n", *object);
    controller::List list;
    const auto items = controller::append_page("Node", std::move(*object), list);
    if (!items) fuzz::require(list.items.empty(), "no part of a bad page is used");
  }
  return 0;
}
