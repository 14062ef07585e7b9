#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace host_cleanup {

/// Mount points in a text like /proc/self/mountinfo, in its order; one that is mounted over stands
/// there as often as that. Fails when a line is none: a mount must not be overlooked.
std::expected<std::vector<std::string>, std::string> mount_points_of(std::string_view mountinfo);
/// Of this process.
std::expected<std::vector<std::string>, std::string> mount_points();

/// Those below the folder, deepest first and of two at the same place the upper first: the order in
/// which they can be unmounted. The folder itself is none of them.
std::vector<std::string> mounts_below(const std::vector<std::string>& mount_points,
                                      const std::string& folder);

/// The same, with the folder.
std::vector<std::string> mounts_at_or_below(const std::vector<std::string>& mount_points,
                                            const std::string& folder);

/// What is erased elsewhere when the folder is emptied: mounts at or below it, and the folder
/// itself when it is a symbolic link. Empty when there is no such folder.
std::vector<std::string> places_elsewhere(const std::vector<std::string>& mount_points,
                                          const std::filesystem::path& folder);

/// Folders of the kubelet, without symbolic links, that exist. Fails when one of them cannot be
/// resolved, for what is mounted below would be overlooked.
std::expected<std::vector<std::string>, std::string> kubelet_folders(
    const std::string& root_folder);

/// All mounts below those, in the order in which they can be unmounted.
std::expected<std::vector<std::string>, std::string> kubelet_mounts(const std::string& root_folder);

}  // namespace host_cleanup
