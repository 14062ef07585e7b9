#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace host_cleanup {

/// The parts between separators, without the empty ones.
std::vector<std::string> split(std::string_view text, char separator);
std::vector<std::string> lines_of(std::string_view text);
/// The parts between white space.
std::vector<std::string> words_in(std::string_view text);
std::string_view trimmed(std::string_view text);

/// Line breaks and other control characters become blanks; blanks at the ends go.
std::string one_line(std::string_view text);

/// At most `limit` bytes, with "..." at the end of what was longer.
std::string cut(std::string_view text, std::size_t limit);

/// "a, b, c and 12 more": as many as fit into `limit` bytes, and at least one.
std::string listed(const std::vector<std::string>& items, std::size_t limit = 120);

/// "1 rule", "2 rules".
std::string counted(std::size_t count, std::string_view noun);

/// A file of /proc or /sys, whose size is not known before; "" when it is not there.
std::string read_kernel_file(const std::filesystem::path& path,
                             std::size_t max = std::size_t{16} * 1024 * 1024);

/// In place of what was there, at once and for good: after a crash either the old or the new text
/// is there. Only the owner can read it. Fails with a sentence.
std::expected<void, std::string> write_file(const std::filesystem::path& path,
                                            std::string_view text);

}  // namespace host_cleanup
