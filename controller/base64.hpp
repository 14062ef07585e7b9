#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace controller {

/// Standard alphabet, padded, in one line.
std::string base64_encode(std::string_view text);

/// The reverse; line breaks and spaces are skipped. nullopt when it is not base64 or empty.
std::optional<std::string> base64_decode(std::string text);

}  // namespace controller
