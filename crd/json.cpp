#include "crd/json.hpp"

namespace crd::json {

const bj::value* find(const bj::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

const bj::object* object_at(const bj::object& object, std::string_view key) {
  const auto* value = find(object, key);
  return value == nullptr ? nullptr : value->if_object();
}

const bj::array* array_at(const bj::object& object, std::string_view key) {
  const auto* value = find(object, key);
  return value == nullptr ? nullptr : value->if_array();
}

std::string string_at(const bj::object& object, std::string_view key) {
  const auto* value = find(object, key);
  const auto* text = value == nullptr ? nullptr : value->if_string();
  return text == nullptr ? std::string{} : std::string{text->data(), text->size()};
}

bool bool_at(const bj::object& object, std::string_view key, bool absent) {
  const auto* value = find(object, key);
  const bool* flag = value == nullptr ? nullptr : value->if_bool();
  return flag == nullptr ? absent : *flag;
}

std::optional<std::int64_t> int_at(const bj::object& object, std::string_view key) {
  const auto* value = find(object, key);
  const auto* number = value == nullptr ? nullptr : value->if_int64();
  return number == nullptr ? std::nullopt : std::optional<std::int64_t>{*number};
}

std::optional<TimePoint> time_at(const bj::object& object, std::string_view key) {
  return parse_rfc3339(string_at(object, key));
}

std::map<std::string, std::string> string_map_at(const bj::object& object, std::string_view key) {
  std::map<std::string, std::string> result;
  const auto* members = object_at(object, key);
  if (members == nullptr) return result;
  for (const auto& [name, value] : *members) {
    if (const auto* text = value.if_string()) {
      result.emplace(std::string{name}, std::string{text->data(), text->size()});
    }
  }
  return result;
}

std::vector<std::string> strings_at(const bj::object& object, std::string_view key) {
  std::vector<std::string> result;
  const auto* values = array_at(object, key);
  if (values == nullptr) return result;
  for (const auto& value : *values) {
    if (const auto* text = value.if_string()) result.emplace_back(text->data(), text->size());
  }
  return result;
}

bj::array to_array(const std::vector<std::string>& strings) {
  bj::array result;
  result.reserve(strings.size());
  for (const auto& text : strings) result.emplace_back(text);
  return result;
}

}  // namespace crd::json
