#include "controller/host_cleanup/text.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;

bool is_blank(char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; }

bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const auto count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void sync_folder(const fs::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  ::fsync(fd);
  ::close(fd);
}

std::unexpected<std::string> failure(const fs::path& path, int error) {
  return std::unexpected("cannot write " + path.string() + ": " + std::strerror(error));
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

std::vector<std::string> lines_of(std::string_view text) { return split(text, '\n'); }

std::vector<std::string> words_in(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (!is_blank(c)) {
      word += c;
    } else if (!word.empty()) {
      words.push_back(std::move(word));
      word.clear();
    }
  }
  if (!word.empty()) words.push_back(std::move(word));
  return words;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string one_line(std::string_view text) {
  std::string line{trimmed(text)};
  for (char& c : line) {
    if (is_blank(c)) c = ' ';
  }
  return line;
}

std::string cut(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return std::string{text};
  constexpr std::string_view kEnd = "...";
  return limit <= kEnd.size() ? std::string{text.substr(0, limit)}
                              : std::string{text.substr(0, limit - kEnd.size())} + "...";
}

std::string listed(const std::vector<std::string>& items, std::size_t limit) {
  std::string text;
  std::size_t count = 0;
  for (const auto& item : items) {
    if (count > 0 && text.size() + item.size() + 2 > limit) break;
    text += (count > 0 ? ", " : "") + cut(item, limit);
    ++count;
  }
  if (count < items.size()) text += " and " + std::to_string(items.size() - count) + " more";
  return text;
}

std::string counted(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string{noun} + (count == 1 ? "" : "s");
}

std::string read_kernel_file(const fs::path& path, std::size_t max) {
  std::string text;
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return text;
  std::array<char, 65536> buffer{};
  while (text.size() < max) {
    const auto count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  ::close(fd);
  return text;
}

std::expected<void, std::string> write_file(const fs::path& path, std::string_view text) {
  auto fresh = path;
  fresh += ".new";
  ::unlink(fresh.c_str());
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return failure(path, errno);
  const bool written = write_all(fd, text) && ::fsync(fd) == 0;
  const int error = errno;
  ::close(fd);
  if (!written) {
    ::unlink(fresh.c_str());
    return failure(path, error);
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return failure(path, errno);
  sync_folder(path.parent_path());
  return {};
}

}  // namespace host_cleanup
