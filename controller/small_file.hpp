#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace controller {

/// The whole file. Fails with a sentence that names it: missing, unreadable, or longer than `max`
/// bytes.
std::expected<std::string, std::string> read_small_file(const std::filesystem::path& path,
                                                        std::size_t max);

/// A bearer token without the white space around it. Fails, without quoting it, when it is empty or
/// has a character that may not stand in an HTTP header (a line break would start another header).
std::expected<std::string, std::string> clean_token(std::string_view text);

}  // namespace controller
