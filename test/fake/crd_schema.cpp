#include "test/fake/crd_schema.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <stdexcept>

#include "crd/time.hpp"

namespace fake {
namespace {

namespace json = boost::json;

template <typename T>
std::optional<T> optional_at(const YAML::Node& yaml, const char* key) {
  return yaml[key] ? std::optional<T>{yaml[key].as<T>()} : std::nullopt;
}

std::vector<std::string> texts_at(const YAML::Node& yaml, const char* key) {
  return yaml[key] ? yaml[key].as<std::vector<std::string>>() : std::vector<std::string>{};
}

Schema read(const YAML::Node& yaml) {
  Schema schema;
  schema.type = yaml["type"].as<std::string>("");
  schema.nullable = yaml["nullable"].as<bool>(false);
  schema.int_or_string = yaml["x-kubernetes-int-or-string"].as<bool>(false);
  if (yaml["default"] && yaml["default"].IsScalar())
    schema.default_value = yaml["default"].Scalar();
  for (const auto& property : yaml["properties"]) {
    schema.properties.emplace(property.first.as<std::string>(), read(property.second));
  }
  if (yaml["items"]) schema.items = std::make_shared<Schema>(read(yaml["items"]));
  if (yaml["additionalProperties"]) {
    schema.additional = std::make_shared<Schema>(read(yaml["additionalProperties"]));
  }
  const auto required = texts_at(yaml, "required");
  schema.required = {required.begin(), required.end()};
  schema.enumeration = texts_at(yaml, "enum");
  schema.list_map_keys = texts_at(yaml, "x-kubernetes-list-map-keys");
  schema.max_items = optional_at<std::size_t>(yaml, "maxItems");
  schema.min_length = optional_at<std::size_t>(yaml, "minLength");
  schema.max_length = optional_at<std::size_t>(yaml, "maxLength");
  schema.minimum = optional_at<std::int64_t>(yaml, "minimum");
  schema.maximum = optional_at<std::int64_t>(yaml, "maximum");
  if (yaml["pattern"]) schema.pattern = std::regex{yaml["pattern"].as<std::string>()};
  schema.date_time = yaml["format"].as<std::string>("") == "date-time";
  return schema;
}

const Schema& root() {
  static const Schema kRoot = [] {
    const auto file = YAML::LoadFile(NODEREMOVAL_SOURCE_DIR "/crd/noderemovals.yaml");
    return read(file["spec"]["versions"][0]["schema"]["openAPIV3Schema"]);
  }();
  return kRoot;
}

class Checker {
 public:
  std::vector<std::string> problems;

  void check(const Schema& schema, const std::string& path, const json::value& value) {
    if (value.is_null()) {
      if (!schema.nullable) fail(path, "is null");
    } else if (schema.type == "object") {
      check_object(schema, path, value);
    } else if (schema.type == "array") {
      check_array(schema, path, value);
    } else if (schema.type == "string") {
      check_string(schema, path, value);
    } else if (schema.type == "integer") {
      check_integer(schema, path, value);
    } else if (schema.type == "boolean" && !value.is_bool()) {
      fail(path, "is no boolean: " + json::serialize(value));
    }
  }

 private:
  void fail(const std::string& path, const std::string& problem) {
    problems.push_back(path + " " + problem);
  }

  void check_object(const Schema& schema, const std::string& path, const json::value& value) {
    const auto* object = value.if_object();
    if (object == nullptr) return fail(path, "is no object: " + json::serialize(value));
    for (const auto& name : schema.required) {
      if (!object->contains(name)) fail(path, "lacks " + name);
    }
    for (const auto& [key, member] : *object) {
      const std::string name{key};
      const auto found = schema.properties.find(name);
      if (found != schema.properties.end()) {
        check(found->second, path + "." + name, member);
      } else if (schema.additional) {
        check(*schema.additional, path + "." + name, member);
      } else {
        fail(path + "." + name, "is not in the schema, so the server drops it");
      }
    }
  }

  void check_array(const Schema& schema, const std::string& path, const json::value& value) {
    const auto* array = value.if_array();
    if (array == nullptr) return fail(path, "is no array: " + json::serialize(value));
    if (schema.max_items && array->size() > *schema.max_items) {
      fail(path, "has " + std::to_string(array->size()) + " items, at most " +
                     std::to_string(*schema.max_items) + " are allowed");
    }
    std::set<std::string> keys;
    for (std::size_t i = 0; i < array->size(); ++i) {
      const auto place = path + "[" + std::to_string(i) + "]";
      if (schema.items) check(*schema.items, place, (*array)[i]);
      if (!schema.list_map_keys.empty() && !keys.insert(key_of(schema, (*array)[i])).second) {
        fail(place, "has the key of another item");
      }
    }
  }

  static std::string key_of(const Schema& schema, const json::value& item) {
    std::string key;
    for (const auto& name : schema.list_map_keys) {
      const auto* member = item.is_object() ? item.get_object().if_contains(name) : nullptr;
      key += (member == nullptr ? "" : json::serialize(*member)) + "/";
    }
    return key;
  }

  void check_string(const Schema& schema, const std::string& path, const json::value& value) {
    const auto* found = value.if_string();
    if (found == nullptr) return fail(path, "is no string: " + json::serialize(value));
    const std::string text{found->data(), found->size()};
    // The server counts characters, not bytes.
    const auto length = static_cast<std::size_t>(std::ranges::count_if(
        text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
    if (schema.max_length && length > *schema.max_length) {
      fail(path, "has " + std::to_string(length) + " characters, at most " +
                     std::to_string(*schema.max_length) + " are allowed");
    }
    if (schema.min_length && length < *schema.min_length)
      fail(path, "is too short: \"" + text + "\"");
    if (!schema.enumeration.empty() && std::ranges::count(schema.enumeration, text) == 0) {
      fail(path, "is \"" + text + "\", which is not in the enumeration");
    }
    if (schema.pattern && !std::regex_match(text, *schema.pattern)) {
      fail(path, "is \"" + text + "\", which does not match the pattern");
    }
    if (schema.date_time && !crd::parse_rfc3339(text)) fail(path, "is no time: \"" + text + "\"");
  }

  void check_integer(const Schema& schema, const std::string& path, const json::value& value) {
    const auto* number = value.if_int64();
    if (number == nullptr) return fail(path, "is no whole number: " + json::serialize(value));
    if (schema.minimum && *number < *schema.minimum) {
      fail(path, "is " + std::to_string(*number) + ", below the minimum");
    }
    if (schema.maximum && *number > *schema.maximum) {
      fail(path, "is " + std::to_string(*number) + ", above the maximum");
    }
  }
};

}  // namespace

const Schema& crd_schema(std::string_view path) {
  const auto* schema = &root();
  while (!path.empty()) {
    const auto end = std::min(path.find('.'), path.size());
    const auto found = schema->properties.find(std::string{path.substr(0, end)});
    if (found == schema->properties.end()) {
      throw std::out_of_range("not in the CRD: " + std::string{path});
    }
    schema = &found->second;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return *schema;
}

std::vector<std::string> schema_problems(std::string_view path, const boost::json::value& value) {
  Checker checker;
  checker.check(crd_schema(path), std::string{path}, value);
  return checker.problems;
}

}  // namespace fake
