#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

namespace controller {

/// Of PEM texts and kubeconfigs, and of tokens, in bytes.
inline constexpr std::size_t kMaxTextFile = std::size_t{1024} * 1024;
inline constexpr std::size_t kMaxTokenFile = std::size_t{64} * 1024;

/// The whole file, never waiting for anybody. Fails with a sentence that names it: missing,
/// unreadable, no regular file, or longer than `max` bytes.
std::expected<std::string, std::string> read_small_file(const std::filesystem::path& path,
                                                        std::size_t max);
/// The same for what may also be a pipe, whose writer is waited for.
std::expected<std::string, std::string> read_file_or_pipe(const std::filesystem::path& path,
                                                          std::size_t max);

/// Also by its group or by everybody, by its mode alone; false when there is no such file.
bool is_readable_by_others(const std::filesystem::path& path);

/// The bearer token in a file. Fails with a sentence that names the file.
std::expected<std::string, std::string> read_token_file(const std::filesystem::path& path);

/// A bearer token without the white space around it. Fails, without quoting it, when it is empty or
/// has a character that may not stand in an HTTP header (a line break would start another header).
std::expected<std::string, std::string> clean_token(std::string_view text);

}  // namespace controller
