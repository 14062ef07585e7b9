#pragma once

#include <boost/json/object.hpp>
#include <expected>
#include <string>
#include <string_view>

namespace plugin {

/// The metav1.LabelSelector that a selector of kubectl's command line means, such as
/// "app=web,tier!=db,zone in (a,b),gpu,!spot". Fails with a sentence; an empty one is refused.
std::expected<boost::json::object, std::string> parse_selector(std::string_view text);

}  // namespace plugin
