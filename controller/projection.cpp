#include "controller/projection.hpp"

#include <utility>

namespace controller {

Projection::Projection(std::span<const std::string_view> paths) {
  for (const auto path : paths) add_path(path);
}

void Projection::add(std::string_view member, Projection below) {
  members_.insert_or_assign(std::string{member}, std::move(below));
}

void Projection::add_path(std::string_view path) {
  const auto end = path.find('|');
  const auto name = path.substr(0, end);
  auto& below = members_[std::string{name}];
  if (end == std::string_view::npos) {
    below = Projection{};
  } else {
    below.add_path(path.substr(end + 1));
  }
}

const Projection* Projection::member(std::string_view name) const {
  if (members_.empty()) return this;
  const auto found = members_.find(name);
  return found == members_.end() ? nullptr : &found->second;
}

}  // namespace controller
