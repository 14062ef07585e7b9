#include "controller/host_cleanup/remove_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

#include "controller/host_cleanup/mount_table.hpp"
#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// Folders in folders; each costs a file descriptor.
constexpr int kMaxDepth = 400;

class Folder {
 public:
  explicit Folder(int fd) : fd_(fd) {}
  Folder(Folder&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Folder& operator=(Folder&&) = delete;
  ~Folder() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

/// Fails with EXDEV at a mount, and with ELOOP or ENOTDIR at what is no folder.
int open_folder(int parent, const char* name, bool may_cross) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
  if (may_cross) return ::openat(parent, name, kFlags);
  open_how how{};
  how.flags = kFlags;
  how.resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
  const auto fd = static_cast<int>(::syscall(SYS_openat2, parent, name, &how, sizeof how));
  if (fd >= 0 || (errno != ENOSYS && errno != EPERM)) return fd;
  // A kernel before 5.6; that nothing is mounted below was seen in the mount table.
  struct stat outer{};
  struct stat inner{};
  const int plain = ::openat(parent, name, kFlags);
  if (plain < 0) return plain;
  if (::fstat(parent, &outer) == 0 && ::fstat(plain, &inner) == 0 && outer.st_dev == inner.st_dev) {
    return plain;
  }
  ::close(plain);
  errno = EXDEV;
  return -1;
}

class TreeRemover {
 public:
  TreeRemover(fs::path path, std::chrono::milliseconds limit)
      : path_(std::move(path)), deadline_(Clock::now() + limit) {}

  std::expected<bool, std::string> run() {
    const Folder parent = open_parent();
    if (!parent.is_open()) {
      if (errno == ENOENT) return false;
      return std::unexpected(path_.parent_path().string() + ": " + std::strerror(errno));
    }
    return remove(parent, path_.filename(), path_, 0);
  }

 private:
  Folder open_parent() const {
    int fd = ::open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (const auto& part : path_.parent_path().relative_path()) {
      const int next = open_folder(fd, part.c_str(), true);
      const int error = errno;
      ::close(fd);
      errno = error;
      fd = next;
      if (fd < 0) break;
    }
    return Folder{fd};
  }

  static std::unexpected<std::string> failure(const fs::path& path) {
    return std::unexpected(
        path.string() + ": " +
        (errno == EXDEV || errno == EBUSY ? "something is mounted there" : std::strerror(errno)));
  }

  /// False when there is no such thing.
  std::expected<bool, std::string> remove(const Folder& parent, const std::string& name,
                                          const fs::path& path, int depth) {
    struct stat status{};
    if (::fstatat(parent.fd(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return false;
      return failure(path);
    }
    const bool folder = S_ISDIR(status.st_mode);
    if (folder) {
      if (auto emptied = empty(parent, name, path, depth); !emptied) return emptied;
    }
    if (::unlinkat(parent.fd(), name.c_str(), folder ? AT_REMOVEDIR : 0) != 0 && errno != ENOENT) {
      return failure(path);
    }
    return true;
  }

  std::expected<bool, std::string> empty(const Folder& parent, const std::string& name,
                                         const fs::path& path, int depth) {
    if (depth >= kMaxDepth) return std::unexpected(path.string() + ": too many folders in folders");
    const int fd = open_folder(parent.fd(), name.c_str(), false);
    if (fd < 0) return failure(path);
    const Folder self{::fcntl(fd, F_DUPFD_CLOEXEC, 0)};
    const std::unique_ptr<DIR, int (*)(DIR*)> listing{::fdopendir(fd), ::closedir};
    if (!listing || !self.is_open()) return failure(path);
    while (const auto* entry = ::readdir(listing.get())) {
      const std::string inner = entry->d_name;
      if (inner == "." || inner == "..") continue;
      if (Clock::now() > deadline_) return std::unexpected(path.string() + ": took too long");
      if (auto removed = remove(self, inner, path / inner, depth + 1); !removed) return removed;
    }
    return true;
  }

  const fs::path path_;
  const Clock::time_point deadline_;
};

}  // namespace

std::string why_not_removable(const fs::path& path) {
  const auto points = mount_points();
  if (!points) return points.error();
  const auto mounts = mounts_at_or_below(*points, path.string());
  return mounts.empty() ? "" : "something is mounted at " + listed(mounts);
}

fs::path with_parents_resolved(const fs::path& path) {
  std::error_code error;
  auto parent = fs::canonical(path.parent_path(), error);
  return error ? path : parent / path.filename();
}

std::expected<bool, std::string> remove_tree(const fs::path& path,
                                             std::chrono::milliseconds limit) {
  if (auto why = why_not_removable(path); !why.empty()) {
    return std::unexpected(path.string() + ": " + why);
  }
  return TreeRemover{path, limit}.run();
}

}  // namespace host_cleanup
