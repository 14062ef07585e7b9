// One byte that says where the stream is cut, then the stream.
#include <boost/json/serialize.hpp>
#include <deque>
#include <string>
#include <vector>

#include "controller/watch_decoder.hpp"
#include "test/fuzz/fuzz_input.hpp"

namespace {

constexpr std::size_t kMaxEvent = 4096;

struct Outcome {
  std::vector<std::string> events;
  bool failed = false;
  bool inside = false;
  bool operator==(const Outcome&) const = default;
};

Outcome decode(std::string_view text, std::size_t piece) {
  controller::WatchDecoder decoder(kMaxEvent);
  std::deque<controller::WatchEvent> events;
  Outcome out;
  for (std::size_t at = 0; at < text.size() && !out.failed; at += piece) {
    out.failed = !decoder.feed(text.substr(at, piece), events);
  }
  for (const auto& event : events) {
    out.events.push_back(std::to_string(static_cast<int>(event.type)) +
                         boost::json::serialize(event.object));
  }
  if (!out.failed) out.inside = decoder.inside_event();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const auto piece = input.below(64) + 1;
  const auto whole = decode(input.rest(), std::max<std::size_t>(1, input.rest().size()));
  fuzz::require(decode(input.rest(), piece) == whole, "any cut gives the same events");
  fuzz::require(decode(input.rest(), 1) == whole, "single bytes give the same events");
  return 0;
}
