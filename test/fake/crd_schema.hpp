#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace fake {

/// One node of the OpenAPI schema in crd/noderemovals.yaml, as far as the API server checks it
/// (without CEL).
struct Schema {
  std::string type;
  bool nullable = false;
  bool int_or_string = false;
  std::optional<std::string> default_value;  ///< as the YAML has it
  std::map<std::string, Schema> properties;
  std::set<std::string> required;
  std::shared_ptr<Schema> items;
  std::shared_ptr<Schema> additional;
  std::vector<std::string> enumeration;
  std::vector<std::string> list_map_keys;
  std::optional<std::size_t> max_items;
  std::optional<std::size_t> min_length;
  std::optional<std::size_t> max_length;
  std::optional<std::int64_t> minimum;
  std::optional<std::int64_t> maximum;
  std::optional<std::regex> pattern;
  bool date_time = false;
};

/// The schema of a member of NodeRemoval by its path, such as "spec.drain.force". Throws when there
/// is none.
const Schema& crd_schema(std::string_view path);

/// What the API server would refuse in `value`, or drop from it without a word: one sentence each.
std::vector<std::string> schema_problems(std::string_view path, const boost::json::value& value);

}  // namespace fake
