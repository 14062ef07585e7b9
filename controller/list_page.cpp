#include "controller/list_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/value.hpp>
#include <utility>

#include "controller/api_status.hpp"
#include "crd/json.hpp"

namespace controller {

namespace json = boost::json;
using crd::json::string_at;

std::expected<std::string, std::string> append_page(std::string_view kind, json::object page,
                                                    List& list) {
  // The answer to another request, on a connection that got out of step, must not pass for "nothing
  // there".
  if (const auto its_kind = string_at(page, "kind"); its_kind != fmt::format("{}List", kind)) {
    return std::unexpected(
        fmt::format("the answer is a \"{}\", not a {}List", one_line(its_kind), kind));
  }
  auto* metadata = page.if_contains("metadata");
  auto* items = page.if_contains("items");
  if (metadata == nullptr || !metadata->is_object() || items == nullptr || !items->is_array()) {
    return std::unexpected("the list has no metadata or no items");
  }
  auto& array = items->get_array();
  if (!std::ranges::all_of(array, [](const json::value& item) { return item.is_object(); })) {
    return std::unexpected("an item of the list is not an object");
  }
  const auto version = string_at(metadata->get_object(), "resourceVersion");
  if (version.empty()) return std::unexpected("the list has no resourceVersion");
  if (!list.resource_version.empty() && version != list.resource_version) {
    return std::unexpected(fmt::format("the list has pages of different snapshots ({} and {})",
                                       one_line(list.resource_version), one_line(version)));
  }
  list.resource_version = version;
  list.items.reserve(list.items.size() + array.size());
  for (auto& item : array) list.items.push_back(std::move(item.get_object()));
  return string_at(metadata->get_object(), "continue");
}

}  // namespace controller
