#include "controller/host_cleanup/processes.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>

#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxArguments = 131072;

/// "Z" of `12 (name with) blanks) Z 1 ...`.
bool is_zombie(const fs::path& folder) {
  const auto stat = read_kernel_file(folder / "stat", 4096);
  const auto end = stat.rfind(')');
  return end == std::string::npos || end + 2 >= stat.size() || stat[end + 2] == 'Z' ||
         stat[end + 2] == 'X';
}

fs::path pid_namespace_of(const fs::path& folder) {
  std::error_code error;
  return fs::read_symlink(folder / "ns/pid", error);
}

std::string base_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

std::vector<Process> processes() {
  std::vector<Process> found;
  const auto ours = pid_namespace_of("/proc/self");
  std::error_code error;
  for (fs::directory_iterator entry{"/proc", error}, end; !error && entry != end;
       entry.increment(error)) {
    const auto name = entry->path().filename().string();
    pid_t pid = 0;
    const auto [rest, bad] = std::from_chars(name.data(), name.data() + name.size(), pid);
    if (bad != std::errc{} || rest != name.data() + name.size()) continue;
    // Of a process that is gone by now nothing can be read.
    if (pid_namespace_of(entry->path()) != ours || is_zombie(entry->path())) continue;
    found.push_back(
        {.pid = pid,
         .name = one_line(read_kernel_file(entry->path() / "comm", 64)),
         .arguments = split(read_kernel_file(entry->path() / "cmdline", kMaxArguments), '\0')});
  }
  return found;
}

std::vector<std::string> processes_named(std::string_view name) {
  std::vector<std::string> ids;
  for (const auto& process : processes()) {
    if (process.name == name) ids.push_back(std::to_string(process.pid));
  }
  return ids;
}

bool is_shim_of_kubernetes(const Process& process) {
  if (process.arguments.empty()) return false;
  const auto program = base_name(process.arguments.front());
  const auto& arguments = process.arguments;
  if (program.starts_with("containerd-shim")) {
    const auto option = std::ranges::find(arguments, "-namespace");
    return option != arguments.end() && option + 1 != arguments.end() && option[1] == "k8s.io";
  }
  return program.starts_with("conmon") &&
         std::ranges::any_of(arguments, [](const std::string& argument) {
           return argument.contains("/crio/") || argument.ends_with("/crio");
         });
}

}  // namespace host_cleanup
