#pragma once

#include <boost/json/value.hpp>
#include <string>

namespace plugin {

/// The value as a YAML document, with a line break at its end. Reads back as the same value: text
/// that a reader could take for something else is quoted.
std::string to_yaml(const boost::json::value& value);

/// As JSON with an indentation of four, like kubectl's.
std::string to_pretty_json(const boost::json::value& value);

}  // namespace plugin
