#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace controller {

class LogSink;

enum class LogLevel { Debug, Info, Warning, Error };

/// For people, or one JSON object per line.
enum class LogFormat { Text, Json };

struct LogField {
  std::string_view key;
  std::string value;
};

/// Lines below this level are not written. Info at start.
void set_log_level(LogLevel level);

/// For lines that cost something to make.
bool is_logged(LogLevel level);

/// Text at start.
void set_log_format(LogFormat format);

/// Where lines go. Without a sink, as at start, they are written to standard error at once. Whoever
/// sets one takes it away (nullptr) before it is destroyed.
void set_log_sink(LogSink* sink);

/// One line: time, level, message, fields, as log_line.hpp says. Never blocks once there is a sink;
/// what a full sink drops is counted, and said in the next line that gets through, in its field
/// linesDropped.
void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields = {});

/// Waits, at most so long, until all that was logged is written: before the process is ended by
/// force.
void flush_log(std::chrono::milliseconds limit);

/// Lines lost since the start of the process.
std::uint64_t dropped_log_lines();

}  // namespace controller
