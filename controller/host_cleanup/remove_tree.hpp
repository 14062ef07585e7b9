#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <string>

namespace host_cleanup {

/// Why what is at `path` must not be deleted with all that is below: something is mounted there or
/// below. "" when it may. `path` has no symbolic links but perhaps its last part.
std::string why_not_removable(const std::filesystem::path& path);

/// `path` without the symbolic links that lead to it; its last part is not followed.
std::filesystem::path with_parents_resolved(const std::filesystem::path& path);

/// Deletes it with all that is below, and follows no symbolic link and crosses no mount, also none
/// that appears meanwhile. `path` is absolute and without symbolic links but perhaps its last part,
/// which is deleted and not followed. False when it was not there. Fails with a sentence, and then
/// a part may be gone; calling it again goes on.
std::expected<bool, std::string> remove_tree(
    const std::filesystem::path& path, std::chrono::milliseconds limit = std::chrono::seconds(300));

}  // namespace host_cleanup
