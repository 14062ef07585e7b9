#include "controller/plugin/yaml.hpp"

#include <yaml-cpp/emitter.h>

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <string_view>

namespace plugin {
namespace {

namespace bj = boost::json;

/// Nothing that begins with a letter or "/" is a number or a time.
bool is_plain(std::string_view text) {
  constexpr std::array kWords{"true", "false", "null", "yes", "no", "on", "off", "y", "n"};
  std::string lower{text};
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto letter = [](unsigned char c) { return std::isalpha(c) != 0 && c < 0x80; };
  return !text.empty() && (letter(static_cast<unsigned char>(text.front())) || text[0] == '/') &&
         std::ranges::find(kWords, lower) == kWords.end() && std::ranges::all_of(text, [&](char c) {
           return letter(static_cast<unsigned char>(c)) || (c >= '0' && c <= '9') || c == '.' ||
                  c == '_' || c == '/' || c == '-';
         });
}

void emit(YAML::Emitter& out, const std::string& text) {
  if (!is_plain(text)) out << YAML::DoubleQuoted;
  out << text;
}

void emit(YAML::Emitter& out, const bj::value& value) {
  if (const auto* object = value.if_object()) {
    if (object->empty()) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const auto& [key, member] : *object) {
      out << YAML::Key;
      emit(out, std::string{key});
      out << YAML::Value;
      emit(out, member);
    }
    out << YAML::EndMap;
  } else if (const auto* array = value.if_array()) {
    if (array->empty()) out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const auto& element : *array) emit(out, element);
    out << YAML::EndSeq;
  } else if (const auto* text = value.if_string()) {
    emit(out, std::string{text->data(), text->size()});
  } else if (value.is_null()) {
    out << YAML::Null;
  } else {
    out << bj::serialize(value);  // a number, true or false
  }
}

void write(std::string& out, const bj::value& value, const std::string& indent) {
  const auto inner = indent + "    ";
  const auto* object = value.if_object();
  const auto* array = value.if_array();
  if (object != nullptr && !object->empty()) {
    out += "{";
    std::string_view comma = "\n";
    for (const auto& [key, member] : *object) {
      out += std::string{comma} + inner + bj::serialize(bj::value(key)) + ": ";
      write(out, member, inner);
      comma = ",\n";
    }
    out += "\n" + indent + "}";
  } else if (array != nullptr && !array->empty()) {
    out += "[";
    std::string_view comma = "\n";
    for (const auto& element : *array) {
      out += std::string{comma} + inner;
      write(out, element, inner);
      comma = ",\n";
    }
    out += "\n" + indent + "]";
  } else {
    out += bj::serialize(value);
  }
}

}  // namespace

std::string to_yaml(const bj::value& value) {
  YAML::Emitter out;
  emit(out, value);
  return std::string{out.c_str(), out.size()} + "\n";
}

std::string to_pretty_json(const bj::value& value) {
  std::string out;
  write(out, value, "");
  return out + "\n";
}

}  // namespace plugin
