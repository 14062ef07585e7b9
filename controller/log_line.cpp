#include "controller/log_line.hpp"

#include <fmt/format.h>

#include <cstddef>

#include "crd/time.hpp"

namespace controller {
namespace {

std::string_view text_name(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return "DEBUG";
    case LogLevel::Info:
      return "INFO ";
    case LogLevel::Warning:
      return "WARN ";
    case LogLevel::Error:
      break;
  }
  return "ERROR";
}

std::string_view json_name(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return "debug";
    case LogLevel::Info:
      return "info";
    case LogLevel::Warning:
      return "warning";
    case LogLevel::Error:
      break;
  }
  return "error";
}

bool is_control(unsigned char byte) { return byte < 0x20 || byte == 0x7f; }

/// U+0080 to U+009F: some terminals take U+009B for the start of an escape sequence.
bool is_c1(std::string_view rest) {
  return rest.size() >= 2 && rest[0] == '\xc2' && static_cast<unsigned char>(rest[1]) >= 0x80 &&
         static_cast<unsigned char>(rest[1]) <= 0x9f;
}

void append_text(std::string& line, std::string_view value) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (is_control(static_cast<unsigned char>(c))) {
      line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else if (is_c1(value.substr(i))) {
      line += fmt::format("\\u{:04x}", static_cast<unsigned char>(value[++i]));
    } else {
      line += c;
    }
  }
}

/// How many bytes the UTF-8 character at the start of `rest` has; 0 when there is none (RFC 3629:
/// no overlong forms, no surrogates, at most U+10FFFF).
std::size_t utf8_length(std::string_view rest) {
  const auto byte = [rest](std::size_t i) {
    return i < rest.size() ? static_cast<unsigned char>(rest[i]) : 0U;
  };
  const auto tail = [&](std::size_t i) { return byte(i) >= 0x80 && byte(i) <= 0xbf; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool second =
        byte(1) >= (first == 0xe0 ? 0xa0U : 0x80U) && byte(1) <= (first == 0xed ? 0x9fU : 0xbfU);
    return second && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool second =
        byte(1) >= (first == 0xf0 ? 0x90U : 0x80U) && byte(1) <= (first == 0xf4 ? 0x8fU : 0xbfU);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

void append_json(std::string& line, std::string_view value) {
  line += '"';
  while (!value.empty()) {
    const auto length = utf8_length(value);
    const char c = value.front();
    if (length == 0) {
      line += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (is_control(static_cast<unsigned char>(c))) {
      line += fmt::format("\\u{:04x}", static_cast<unsigned char>(c));
    } else if (is_c1(value)) {
      line += fmt::format("\\u{:04x}", static_cast<unsigned char>(value[1]));
    } else {
      line += value.substr(0, length);
    }
    value.remove_prefix(length == 0 ? 1 : length);
  }
  line += '"';
}

}  // namespace

std::string text_line(LogTime time, LogLevel level, std::string_view message,
                      std::span<const LogField> fields) {
  std::string line = crd::to_rfc3339_milli(time);
  line += ' ';
  line += text_name(level);
  line += ' ';
  append_text(line, message);
  for (const auto& field : fields) {
    line += ' ';
    line += field.key;
    line += "=\"";
    append_text(line, field.value);
    line += '"';
  }
  line += '\n';
  return line;
}

std::string json_line(LogTime time, LogLevel level, std::string_view message,
                      std::span<const LogField> fields) {
  std::string line = R"({"time":")";
  line += crd::to_rfc3339_milli(time);
  line += R"(","level":")";
  line += json_name(level);
  line += R"(","message":)";
  append_json(line, message);
  std::string_view before = R"(,"fields":{)";
  for (const auto& field : fields) {
    line += before;
    append_json(line, field.key);
    line += ':';
    append_json(line, field.value);
    before = ",";
  }
  if (!fields.empty()) line += '}';
  line += "}\n";
  return line;
}

}  // namespace controller
