#include "controller/host_cleanup/journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>

#include "controller/log_line.hpp"

namespace host_cleanup {

Journal::Journal(const std::filesystem::path& file)
    : fd_(::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600)) {}

Journal::~Journal() {
  if (fd_ >= 0) ::close(fd_);
}

void Journal::write(controller::LogLevel level, std::string_view message,
                    std::initializer_list<controller::LogField> fields) {
  const auto now =
      std::chrono::time_point_cast<controller::LogTime::duration>(std::chrono::system_clock::now());
  const auto line = controller::text_line(now, level, message, fields);
  // A full disk must not keep the machine from being cleaned.
  const auto to = [&](int fd) {
    [[maybe_unused]] const auto n = ::write(fd, line.data(), line.size());
  };
  if (fd_ >= 0) to(fd_);
  if (copied_) to(STDERR_FILENO);
}

}  // namespace host_cleanup
