#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace controller {

/// Which members of an object are kept when it is decoded; the others are skipped without being
/// stored, so that memory does not grow with what nobody reads. Arrays count for their elements. A
/// member that is no object or array is kept wherever its name occurs in a path.
class Projection {
 public:
  /// Keeps everything.
  Projection() = default;
  /// Paths of members separated by "|", such as "status|conditions|type"; the last one is kept with
  /// all that is in it. No paths: everything is kept.
  explicit Projection(std::span<const std::string_view> paths);

  /// The same below a member: the items of a list, the object of a watch event.
  void add(std::string_view member, Projection below);
  void add_path(std::string_view path);

  bool keeps_everything() const { return members_.empty(); }
  /// What is kept in this member; nullptr: it is skipped.
  const Projection* member(std::string_view name) const;

 private:
  std::map<std::string, Projection, std::less<>> members_;  ///< empty: all of them
};

}  // namespace controller
