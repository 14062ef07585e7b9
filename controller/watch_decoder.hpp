#pragma once

#include <cstddef>
#include <deque>
#include <expected>
#include <string>
#include <string_view>

#include "controller/kube_client.hpp"
#include "controller/object_decoder.hpp"
#include "controller/projection.hpp"

namespace controller {

/// Turns the body of a watch, cut into pieces anywhere, into events. Pure: no I/O and no time.
/// Events of a type it does not know are skipped. After a failure it gives no more events.
class WatchDecoder {
 public:
  /// `max_event`: bytes of one event as sent; a longer one is a failure, so that memory stays
  /// bounded. `fields`: of the objects; the Status of an ERROR event is complete.
  explicit WatchDecoder(std::size_t max_event, Projection fields = {});

  /// Appends the events that are complete after `bytes` to `events`. Fails with a sentence when the
  /// input is not a watch event; the events before the bad one have been appended.
  std::expected<void, std::string> feed(std::string_view bytes, std::deque<WatchEvent>& events);

  /// The input so far ends inside an event: a stream that ends now was cut.
  bool inside_event() const { return event_size_ > 0; }

 private:
  std::expected<void, std::string> finish_event(std::deque<WatchEvent>& events);
  std::unexpected<std::string> fail(std::string why);

  ObjectDecoder decoder_;
  std::size_t max_event_;
  std::size_t event_size_ = 0;
  std::string failure_;
};

}  // namespace controller
