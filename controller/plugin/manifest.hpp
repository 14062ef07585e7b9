#pragma once

#include <boost/json/object.hpp>

#include "controller/plugin/command_line.hpp"

namespace plugin {

/// The NodeRemoval that the flags ask for, named as they say or like the node. Its spec has only
/// what differs from the defaults of the API.
boost::json::object manifest(const RemovalFlags& flags);

/// The same as a dry run under this name. Should nobody delete it, it goes by itself once the
/// operator has looked at it.
boost::json::object dry_run_manifest(const RemovalFlags& flags, std::string_view name);

/// A name for a dry run on the node: "plan-jetson-0123abcd".
std::string dry_run_name(std::string_view node, std::uint32_t random);

}  // namespace plugin
