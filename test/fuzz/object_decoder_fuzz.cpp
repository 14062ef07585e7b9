// Two bytes that say where the text is cut, then the text.
#include <algorithm>
#include <boost/json/parse.hpp>
#include <cmath>
#include <optional>
#include <string>

#include "controller/object_decoder.hpp"
#include "crd/core_types.hpp"
#include "test/fuzz/fuzz_input.hpp"

namespace {

namespace json = boost::json;

/// Boost.JSON rounds the last digit of a fraction by where the text is cut. Nothing that we read is
/// a fraction.
bool same(const json::value& a, const json::value& b) {
  if (a.is_double() && b.is_double()) {
    const double x = a.get_double();
    const double y = b.get_double();
    return x == y || std::abs(x - y) <= 1e-12 * std::max(std::abs(x), std::abs(y));
  }
  if (a.is_array() && b.is_array()) return std::ranges::equal(a.get_array(), b.get_array(), same);
  if (a.is_object() && b.is_object()) {
    return a.get_object().size() == b.get_object().size() &&
           std::ranges::all_of(a.get_object(), [&](const json::key_value_pair& member) {
             const auto* other = b.get_object().if_contains(member.key());
             return other != nullptr && same(member.value(), *other);
           });
  }
  return a == b;
}

struct Outcome {
  bool failed = false;
  std::optional<json::object> object;
  bool operator==(const Outcome& other) const {
    return failed == other.failed && object.has_value() == other.object.has_value() &&
           (!object || same(*object, *other.object));
  }
};

Outcome decode(std::string_view text, std::size_t piece, const controller::Projection& fields) {
  controller::ObjectDecoder decoder(fields);
  Outcome out;
  while (!text.empty() && !decoder.done()) {
    const auto fed = decoder.feed(text.substr(0, piece));
    if (!fed) return {.failed = true, .object = {}};
    text.remove_prefix(*fed);
  }
  if (decoder.done()) out.object = decoder.take();
  return out;
}

/// What Boost.JSON makes of the whole text; nullopt: that it is no object, or goes on after it.
std::optional<json::object> parsed(std::string_view text) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 64;
  auto value = json::parse(text, error, {}, options);
  if (error || !value.is_object()) return std::nullopt;
  return std::move(value).as_object();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto piece = input.below(64) + 1;
  const auto text = input.rest();

  const auto whole = decode(text, std::max<std::size_t>(1, text.size()), {});
  fuzz::require(decode(text, piece, {}) == whole, "any cut gives the same result");
  fuzz::require(decode(text, 1, {}) == whole, "single bytes give the same result");
  if (const auto expected = parsed(text)) {
    fuzz::require(whole.object && same(*whole.object, *expected), "Boost.JSON reads the same");
  }
  const controller::Projection pod{crd::kPodFields};
  const auto kept = decode(text, piece, pod);
  fuzz::require(kept == decode(text, 1, pod), "any cut gives the same part");
  fuzz::require(kept.failed == whole.failed, "a projection does not hide what is wrong");
  return 0;
}
