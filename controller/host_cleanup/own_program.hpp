#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace host_cleanup {

/// The files that this program is made of: itself, the libraries it has loaded, and the loader that
/// starts it. Kept open, so that they can be copied to where other files have their names.
class OwnProgram {
 public:
  /// Fails with a sentence that names the file.
  static std::expected<OwnProgram, std::string> open();

  OwnProgram(OwnProgram&& other) noexcept = default;
  OwnProgram& operator=(OwnProgram&&) = delete;
  ~OwnProgram();

  /// Copies them into a new folder, in place of an older one. Fails with a sentence.
  std::expected<void, std::string> copy_to(const std::filesystem::path& folder) const;

  /// How to start the copy: it needs no library of the machine that the folder is on.
  std::vector<std::string> command_in(const std::filesystem::path& folder) const;

 private:
  OwnProgram() = default;
  std::expected<void, std::string> add(const std::string& path, const std::string& name);

  std::vector<std::pair<std::string, int>> files_;  ///< name and descriptor
  std::string loader_;                              ///< name; empty: it is linked statically
};

}  // namespace host_cleanup
