#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

namespace controller {

enum class LogLevel { Debug, Info, Warning, Error };

struct LogField {
  std::string_view key;
  std::string value;
};

/// Lines below this level are not written. Info at start.
void set_log_level(LogLevel level);

/// One line on standard error: time, level, message, key="value" pairs. Control characters in
/// values are escaped, so that nobody can forge a line by the name of an object.
void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace controller
