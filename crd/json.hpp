#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crd/time.hpp"

/// Reading members of objects that the API server sent. A member that is missing, null or of
/// another type reads as absent: these helpers are for objects whose schema the server itself has
/// checked.
namespace crd::json {

namespace bj = boost::json;

const bj::value* find(const bj::object& object, std::string_view key);
const bj::object* object_at(const bj::object& object, std::string_view key);
const bj::array* array_at(const bj::object& object, std::string_view key);
std::string string_at(const bj::object& object, std::string_view key);
bool bool_at(const bj::object& object, std::string_view key, bool absent = false);
std::optional<std::int64_t> int_at(const bj::object& object, std::string_view key);
std::optional<TimePoint> time_at(const bj::object& object, std::string_view key);
std::map<std::string, std::string> string_map_at(const bj::object& object, std::string_view key);
std::vector<std::string> strings_at(const bj::object& object, std::string_view key);

bj::array to_array(const std::vector<std::string>& strings);

}  // namespace crd::json
