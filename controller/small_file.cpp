#include "controller/small_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace controller {

std::expected<std::string, std::string> read_small_file(const std::filesystem::path& path,
                                                        std::size_t max) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string text(max + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file.is_open() || file.bad()) {
    const int error = errno;
    return std::unexpected(
        fmt::format("{}: {}", path.string(), error != 0 ? std::strerror(error) : "cannot be read"));
  }
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.size() > max) {
    return std::unexpected(fmt::format("{}: is longer than {} bytes", path.string(), max));
  }
  return text;
}

bool is_readable_by_others(const std::filesystem::path& path) {
  using std::filesystem::perms;
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  return !error && (status.permissions() & (perms::group_read | perms::others_read)) != perms::none;
}

std::expected<std::string, std::string> clean_token(std::string_view text) {
  constexpr std::string_view kWhitespace = " \t\r\n";
  const auto first = text.find_first_not_of(kWhitespace);
  if (first == std::string_view::npos) return std::unexpected("is empty");
  text = text.substr(first, text.find_last_not_of(kWhitespace) - first + 1);
  if (std::ranges::any_of(text, [](char c) { return c < 0x21 || c > 0x7e; })) {
    return std::unexpected("has a space, a control character or a non-ASCII character");
  }
  return std::string(text);
}

std::expected<std::string, std::string> read_token_file(const std::filesystem::path& path) {
  const auto text = read_small_file(path, kMaxTokenFile);
  if (!text) return std::unexpected(text.error());
  auto token = clean_token(*text);
  if (!token) return std::unexpected(path.string() + " " + token.error());
  return token;
}

}  // namespace controller
