#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "controller/host_cleanup/state_folder.hpp"

namespace host_cleanup {

/// What the Node says of a cleaning that was handed over.
struct StartSignal {
  enum class Word {
    Wait,   ///< nothing yet
    Start,  ///< the operator lets it begin
    Stop,   ///< it must never begin: cancelled, or the Node is not the same
  };
  Word word = Word::Wait;
  std::string why;  ///< of Stop
  bool operator==(const StartSignal&) const = default;
};

/// `node`: the Node as the API server has it.
StartSignal start_signal_of(const boost::json::object& node, const Request& request);

/// Addresses by which the Node is known (status.addresses), without names.
std::vector<std::string> addresses_of_node(const boost::json::object& node);

}  // namespace host_cleanup
