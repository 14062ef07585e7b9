#include "controller/small_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace controller {

namespace {

using Failure = std::unexpected<std::string>;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Failure failed(const std::filesystem::path& path) {
  return Failure(fmt::format("{}: {}", path.string(), std::strerror(errno)));
}

std::expected<std::string, std::string> read_all(int fd, const std::filesystem::path& path,
                                                 std::size_t max) {
  std::string text(max + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = ::read(fd, text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(path);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > max) return Failure(fmt::format("{}: is longer than {} bytes", path.string(), max));
  text.resize(size);
  return text;
}

}  // namespace

std::expected<std::string, std::string> read_small_file(const std::filesystem::path& path,
                                                        std::size_t max) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  struct stat found{};
  if (file.get() < 0 || ::fstat(file.get(), &found) != 0) return failed(path);
  if (!S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode)) {
    return Failure(fmt::format("{}: is no regular file", path.string()));
  }
  return read_all(file.get(), path, max);
}

std::expected<std::string, std::string> read_file_or_pipe(const std::filesystem::path& path,
                                                          std::size_t max) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.get() < 0) return failed(path);
  return read_all(file.get(), path, max);
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
