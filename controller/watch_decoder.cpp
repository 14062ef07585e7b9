#include "controller/watch_decoder.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json/value.hpp>
#include <optional>
#include <utility>

namespace controller {
namespace {

using Type = WatchEvent::Type;

constexpr std::string_view kWhitespace = " \t\r\n";
/// Of the Status in an ERROR event.
constexpr std::array<std::string_view, 5> kStatusFields{"status", "code", "message", "reason",
                                                        "details"};

Projection event_fields(Projection fields) {
  Projection event;
  if (fields.keeps_everything()) return event;
  for (const auto path : kStatusFields) {
    if (fields.member(path) == nullptr) fields.add_path(path);
  }
  event.add_path("type");
  event.add("object", std::move(fields));
  return event;
}

std::optional<Type> event_type(std::string_view text) {
  if (text == "ADDED") return Type::Added;
  if (text == "MODIFIED") return Type::Modified;
  if (text == "DELETED") return Type::Deleted;
  if (text == "BOOKMARK") return Type::Bookmark;
  if (text == "ERROR") return Type::Error;
  return std::nullopt;
}

}  // namespace

WatchDecoder::WatchDecoder(std::size_t max_event, Projection fields)
    : decoder_(event_fields(std::move(fields))), max_event_(max_event) {}

std::expected<void, std::string> WatchDecoder::feed(std::string_view bytes,
                                                    std::deque<WatchEvent>& events) {
  if (!failure_.empty()) return std::unexpected(failure_);
  while (true) {
    if (!inside_event()) {
      const auto start = bytes.find_first_not_of(kWhitespace);
      bytes.remove_prefix(start == std::string_view::npos ? bytes.size() : start);
    }
    if (bytes.empty()) return {};
    if (!inside_event() && bytes.front() != '{') {
      return fail("the watch sent what is not a JSON object");
    }

    // One byte more than allowed is enough to know that the event is too long.
    const auto piece = bytes.substr(0, max_event_ - event_size_ + 1);
    const auto fed = decoder_.feed(piece);
    if (!fed) return fail("the watch sent what is no event: " + fed.error());
    const auto consumed = *fed;
    // The parser also takes the whitespace behind the closing brace, when it is in the same piece.
    const auto last = piece.substr(0, consumed).find_last_not_of(kWhitespace);
    event_size_ += decoder_.done() ? last + 1 : consumed;
    if (event_size_ > max_event_) {
      return fail(fmt::format("the watch sent an event of more than {} bytes", max_event_));
    }
    bytes.remove_prefix(consumed);
    if (decoder_.done()) {
      if (auto finished = finish_event(events); !finished) return finished;
    }
  }
}

std::expected<void, std::string> WatchDecoder::finish_event(std::deque<WatchEvent>& events) {
  auto envelope = decoder_.take();
  event_size_ = 0;

  const auto* type = envelope.if_contains("type");
  auto* object = envelope.if_contains("object");
  if (type == nullptr || !type->is_string() || object == nullptr || !object->is_object()) {
    return fail("the watch sent JSON that is not an event with type and object");
  }
  if (const auto known = event_type(type->get_string())) {
    events.push_back(WatchEvent{*known, std::move(object->get_object())});
  }
  return {};
}

std::unexpected<std::string> WatchDecoder::fail(std::string why) {
  failure_ = std::move(why);
  return std::unexpected(failure_);
}

}  // namespace controller
