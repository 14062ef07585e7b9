#include "controller/host_cleanup/host_namespaces.hpp"

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;

struct Namespace {
  std::string name;
  int fd;
};

bool is_entered(const std::string& name) {
  std::error_code error;
  const auto theirs = fs::read_symlink("/proc/1/ns/" + name, error);
  return !error && theirs == fs::read_symlink("/proc/self/ns/" + name, error);
}

std::unexpected<std::string> failure(const std::string& what) {
  return std::unexpected("cannot " + what + ": " + std::strerror(errno) +
                         "; the pod needs hostPID and the capabilities SYS_ADMIN, SYS_CHROOT and "
                         "SYS_PTRACE");
}

}  // namespace

std::expected<void, std::string> enter_host_namespaces() {
  // All are opened first: with the mounts /proc changes. Those come last.
  std::vector<Namespace> spaces;
  for (const std::string name : {"cgroup", "uts", "ipc", "net", "pid", "mnt"}) {
    const auto path = "/proc/1/ns/" + name;
    std::error_code error;
    const bool known = fs::exists(fs::symlink_status("/proc/self/ns/" + name, error));
    if (!known || is_entered(name)) continue;  // an old kernel has no namespaces of cgroups
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return failure("open " + path);
    spaces.push_back({name, fd});
  }
  for (const auto& space : spaces) {
    if (::setns(space.fd, 0) != 0) return failure("enter the host's namespace " + space.name);
    ::close(space.fd);
  }
  if (::chdir("/") != 0) return failure("enter the host's root folder");
  return {};
}

}  // namespace host_cleanup
