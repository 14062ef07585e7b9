#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace plugin {

/// Text that came from the cluster, made harmless for a terminal: line breaks and tabs become
/// spaces; other control characters, those that turn the direction of writing or take no room, and
/// bytes that are no UTF-8 become "?".
std::string clean(std::string_view text);

/// Columns that a text without control characters takes on a terminal.
std::size_t cells(std::string_view text);

/// At most `width` columns of it; what is cut off is marked by "...".
std::string cut(const std::string& text, std::size_t width);

/// Filled up with spaces to `width` columns, or cut.
std::string pad(const std::string& text, std::size_t width);

/// Lines of at most `width` columns, broken at spaces where there are any.
std::vector<std::string> wrap(const std::string& text, std::size_t width);

/// Everything that is not ASCII replaced by "?".
std::string ascii(std::string_view text);

}  // namespace plugin
