#include "controller/log.hpp"

#include <unistd.h>

#include <chrono>
#include <vector>

#include "controller/log_line.hpp"
#include "controller/log_sink.hpp"
#include "controller/wall_clock.hpp"

namespace controller {
namespace {

struct Logging {
  LogLevel minimum_level = LogLevel::Info;
  LogFormat format = LogFormat::Text;
  LogSink* sink = nullptr;
  std::uint64_t dropped_by_earlier_sinks = 0;
  std::uint64_t said = 0;  ///< of the dropped lines
};

Logging logging;

}  // namespace

void set_log_level(LogLevel level) { logging.minimum_level = level; }

bool is_logged(LogLevel level) { return level >= logging.minimum_level; }

void set_log_format(LogFormat format) { logging.format = format; }

void set_log_sink(LogSink* sink) {
  if (logging.sink != nullptr) logging.dropped_by_earlier_sinks += logging.sink->dropped();
  logging.sink = sink;
}

void flush_log(std::chrono::milliseconds limit) {
  if (logging.sink != nullptr) logging.sink->flush(limit);
}

std::uint64_t dropped_log_lines() {
  return logging.dropped_by_earlier_sinks + (logging.sink != nullptr ? logging.sink->dropped() : 0);
}

void log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  if (!is_logged(level)) return;
  const auto now = wall_clock();
  std::vector<LogField> all{fields};
  const auto dropped = dropped_log_lines();
  if (dropped > logging.said) {
    all.push_back({"linesDropped", std::to_string(dropped - logging.said)});
  }
  const auto line = logging.format == LogFormat::Json ? json_line(now, level, message, all)
                                                      : text_line(now, level, message, all);
  if (logging.sink == nullptr) {
    // One write per line keeps lines whole; one that cannot be written is lost.
    if (::write(STDERR_FILENO, line.data(), line.size()) < 0) return;
    logging.said = dropped;
  } else if (logging.sink->offer(line)) {
    logging.said = dropped;
  }
}

}  // namespace controller
