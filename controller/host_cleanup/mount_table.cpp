#include "controller/host_cleanup/mount_table.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <system_error>
#include <utility>

#include "controller/host_cleanup/kubelet_facts.hpp"
#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMountPointField = 4;

bool is_octal(char c) { return c >= '0' && c <= '7'; }

/// A blank stands there as \040.
std::string unescaped(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '\\' && i + 3 < text.size() && is_octal(text[i + 1]) &&
                        is_octal(text[i + 2]) && is_octal(text[i + 3]);
    if (!escape) {
      result += text[i];
      continue;
    }
    result +=
        static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
    i += 3;
  }
  return result;
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

/// Later lines are mounted over earlier ones.
std::vector<std::string> in_order(std::vector<std::string> mounts) {
  std::vector<std::pair<std::ptrdiff_t, std::size_t>> order;  // depth and line
  order.reserve(mounts.size());
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    order.emplace_back(std::ranges::count(mounts[i], '/'), i);
  }
  std::ranges::sort(order, std::greater{});
  std::vector<std::string> sorted;
  sorted.reserve(mounts.size());
  for (const auto& [depth, line] : order) sorted.push_back(std::move(mounts[line]));
  return sorted;
}

}  // namespace

std::expected<std::vector<std::string>, std::string> mount_points_of(std::string_view mountinfo) {
  std::vector<std::string> points;
  for (const auto& line : lines_of(mountinfo)) {
    const auto fields = split(line, ' ');
    if (fields.size() <= kMountPointField || !fields[kMountPointField].starts_with('/')) {
      return std::unexpected("cannot read this line of the mount table: " + cut(line, 80));
    }
    points.push_back(unescaped(fields[kMountPointField]));
  }
  return points;
}

std::expected<std::vector<std::string>, std::string> mount_points() {
  const auto text = read_kernel_file("/proc/self/mountinfo");
  if (text.empty()) return std::unexpected("cannot read /proc/self/mountinfo");
  return mount_points_of(text);
}

std::vector<std::string> mounts_below(const std::vector<std::string>& mount_points,
                                      const std::string& folder) {
  std::vector<std::string> found;
  std::ranges::copy_if(mount_points, std::back_inserter(found),
                       [&](const std::string& path) { return is_below(path, folder); });
  return in_order(std::move(found));
}

std::vector<std::string> mounts_at_or_below(const std::vector<std::string>& mount_points,
                                            const std::string& folder) {
  std::vector<std::string> found;
  std::ranges::copy_if(mount_points, std::back_inserter(found), [&](const std::string& path) {
    return path == folder || is_below(path, folder);
  });
  return in_order(std::move(found));
}

std::vector<std::string> places_elsewhere(const std::vector<std::string>& mount_points,
                                          const std::filesystem::path& folder) {
  std::error_code error;
  const auto path = std::filesystem::canonical(folder, error);
  if (error) return {};
  auto found = mounts_at_or_below(mount_points, path.string());
  if (std::filesystem::is_symlink(folder, error)) found.push_back(folder.string());
  return found;
}

std::expected<std::vector<std::string>, std::string> kubelet_folders(
    const std::string& root_folder) {
  std::vector<std::string> folders;
  for (const auto& folder : {std::string{kKubeletFolder}, root_folder}) {
    if (folder.empty()) continue;
    std::error_code error;
    const auto path = fs::canonical(folder, error);
    if (error == std::errc::no_such_file_or_directory) continue;
    if (error) return std::unexpected("cannot resolve " + folder + ": " + error.message());
    // Below / would be all the mounts of the machine.
    if (path == path.root_path()) return std::unexpected(folder + " leads to /");
    if (std::ranges::find(folders, path.string()) == folders.end()) {
      folders.push_back(path.string());
    }
  }
  return folders;
}

std::expected<std::vector<std::string>, std::string> kubelet_mounts(
    const std::string& root_folder) {
  const auto points = mount_points();
  if (!points) return std::unexpected(points.error());
  const auto folders = kubelet_folders(root_folder);
  if (!folders) return std::unexpected(folders.error());
  std::vector<std::string> found;
  for (const auto& folder : *folders) {
    for (auto& mount : mounts_below(*points, folder)) found.push_back(std::move(mount));
  }
  return found;
}

}  // namespace host_cleanup
