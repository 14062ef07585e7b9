#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace controller {

/// Carries finished log lines to a file descriptor in a thread of its own, the only other thread of
/// the process, so that a reader who does not read (a full pipe, a frozen log collector) cannot
/// stop the operator. All functions may be called from any thread, and none waits for the reader
/// but flush().
class LogSink {
 public:
  /// What may wait to be written, together with what is being written: 1 MiB is some 5000 lines.
  static constexpr std::size_t kCapacity = std::size_t{1024} * 1024;
  /// How long the end of the process waits for the reader.
  static constexpr std::chrono::milliseconds kFlushLimit{1000};

  /// Does not own `fd`, which stays as it is (no O_NONBLOCK: others may share the file). Throws
  /// std::system_error when the thread cannot be started.
  explicit LogSink(int fd, std::size_t capacity = kCapacity);
  /// Flushes for at most kFlushLimit. A thread that still waits for its reader then is left to end
  /// with the process or with the reader, and writes nothing more.
  ~LogSink();
  LogSink(const LogSink&) = delete;
  LogSink& operator=(const LogSink&) = delete;

  /// Never blocks. False when there is no room: then the line is counted and gone.
  bool offer(std::string_view line);
  /// Waits until all that was offered is written; false when that took longer.
  bool flush(std::chrono::milliseconds limit = kFlushLimit);
  /// Lines for which there was no room, or which could not be written (a full disk).
  std::uint64_t dropped() const;

  /// Lets abort() (an assertion, an exception that nobody caught) wait until what was logged is
  /// written, at most kFlushLimit. At most one sink of the process; undone by its destructor.
  void flush_on_abort();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace controller
