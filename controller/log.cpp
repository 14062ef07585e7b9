#include "controller/log.hpp"

#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdio>

#include "crd/time.hpp"

namespace controller {
namespace {

LogLevel minimum_level = LogLevel::Info;

std::string_view name_of(LogLevel level) {
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

void append_escaped(std::string& line, std::string_view value) {
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      line += '\\';
      line += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      std::array<char, 8> buffer{};
      const int written = std::snprintf(buffer.data(), buffer.size(), "\\x%02x", byte);
      line.append(buffer.data(), static_cast<std::size_t>(written));
    } else {
      line += c;
    }
  }
}

}  // namespace

void set_log_level(LogLevel level) { minimum_level = level; }

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (level < minimum_level) return;
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  std::string line = crd::to_rfc3339(now);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ",
                static_cast<int>(now.time_since_epoch().count() % 1000));
  line.replace(line.size() - 1, 1, fraction.data());
  line += ' ';
  line += name_of(level);
  line += ' ';
  append_escaped(line, message);
  for (const auto& field : fields) {
    line += ' ';
    line += field.key;
    line += "=\"";
    append_escaped(line, field.value);
    line += '"';
  }
  line += '\n';
  // One write per line keeps lines whole; a log that cannot be written is lost, never a reason to
  // stop.
  if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;
}

}  // namespace controller
