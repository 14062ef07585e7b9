#include "controller/host_cleanup/own_program.hpp"

#include <fcntl.h>
#include <link.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "controller/host_cleanup/remove_tree.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kName = "noderemoval";

struct Loaded {
  std::string loader;
  std::vector<std::string> libraries;
};

int collect(dl_phdr_info* info, std::size_t /*size*/, void* data) {
  auto& loaded = *static_cast<Loaded*>(data);
  const std::string name = info->dlpi_name == nullptr ? "" : info->dlpi_name;
  if (!name.empty()) {
    // What the kernel maps, linux-vdso.so.1, is no file.
    if (name.starts_with('/')) loaded.libraries.push_back(name);
    return 0;
  }
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    if (header.p_type == PT_INTERP) {
      // NOLINTNEXTLINE(performance-no-int-to-ptr): the dynamic linker says it as a number
      loaded.loader = reinterpret_cast<const char*>(info->dlpi_addr + header.p_vaddr);
    }
  }
  return 0;
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::expected<void, std::string> copy(int from, const fs::path& to) {
  const auto failure = [&] {
    return std::unexpected("cannot write " + to.string() + ": " + std::strerror(errno));
  };
  struct stat status{};
  const int fd = ::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0700);
  if (fd < 0 || ::fstat(from, &status) != 0) return failure();
  off_t at = 0;
  while (at < status.st_size) {
    const auto count = ::sendfile(fd, from, &at, static_cast<std::size_t>(status.st_size - at));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      const auto failed = failure();
      ::close(fd);
      return failed;
    }
  }
  return ::close(fd) == 0 ? std::expected<void, std::string>{} : failure();
}

}  // namespace

std::expected<OwnProgram, std::string> OwnProgram::open() {
  Loaded loaded;
  ::dl_iterate_phdr(collect, &loaded);
  OwnProgram program;
  if (auto added = program.add("/proc/self/exe", std::string{kName}); !added) {
    return std::unexpected(added.error());
  }
  if (!loaded.loader.empty()) {
    loaded.libraries.push_back(loaded.loader);
    program.loader_ = base_name(loaded.loader);
  }
  for (const auto& library : loaded.libraries) {
    if (auto added = program.add(library, base_name(library)); !added) {
      return std::unexpected(added.error());
    }
  }
  return program;
}

OwnProgram::~OwnProgram() {
  for (const auto& [name, fd] : files_) ::close(fd);
}

std::expected<void, std::string> OwnProgram::add(const std::string& path, const std::string& name) {
  // The loader is among the libraries too.
  if (std::ranges::any_of(files_, [&](const auto& file) { return file.first == name; })) return {};
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::unexpected("cannot open " + path + ": " + std::strerror(errno));
  files_.emplace_back(name, fd);
  return {};
}

std::expected<void, std::string> OwnProgram::copy_to(const fs::path& folder) const {
  if (const auto removed = remove_tree(folder); !removed) return std::unexpected(removed.error());
  if (::mkdir(folder.c_str(), 0700) != 0) {
    return std::unexpected("cannot make " + folder.string() + ": " + std::strerror(errno));
  }
  for (const auto& [name, fd] : files_) {
    if (auto copied = copy(fd, folder / name); !copied) return copied;
  }
  return {};
}

std::vector<std::string> OwnProgram::command_in(const fs::path& folder) const {
  const auto program = (folder / kName).string();
  if (loader_.empty()) return {program};
  return {(folder / loader_).string(), "--library-path", folder.string(), program};
}

}  // namespace host_cleanup
