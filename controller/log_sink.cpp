#include "controller/log_sink.hpp"

#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <string>
#include <thread>

namespace controller {

struct LogSink::State {
  State(int its_fd, std::size_t its_capacity) : fd(its_fd), capacity(its_capacity) {}

  const int fd;
  const std::size_t capacity;
  mutable std::mutex mutex;
  std::condition_variable filled;   ///< there is something to write, or it is over
  std::condition_variable emptied;  ///< all is written, or the thread has ended
  std::string waiting;
  std::atomic<std::size_t> pending = 0;  ///< bytes waiting and being written
  std::uint64_t dropped = 0;
  std::atomic<bool> given_up = false;  ///< the sink is gone; `fd` may be another file by now
  bool closing = false;
  bool ended = false;
};

namespace {

/// A log that cannot be written is lost, never a reason to stop. Returns what was not written.
template <typename State>
std::string_view write_all(const State& state, std::string_view text) {
  while (!text.empty() && !state.given_up) {
    const auto written = ::write(state.fd, text.data(), text.size());
    if (written < 0 && errno != EINTR && errno != EAGAIN) return text;
    if (written > 0) text.remove_prefix(static_cast<std::size_t>(written));
    if (written < 0 && errno == EAGAIN) {
      // Somebody else has made the file non-blocking.
      const timespec moment{0, 10'000'000};
      ::nanosleep(&moment, nullptr);
    }
  }
  return text;
}

template <typename State>
void write_lines(const std::shared_ptr<State>& state) {
  std::string batch;
  std::unique_lock lock{state->mutex};
  for (;;) {
    state->filled.wait(lock, [&] { return state->closing || !state->waiting.empty(); });
    if (state->waiting.empty() || state->given_up) break;
    std::swap(batch, state->waiting);
    lock.unlock();
    const auto lost = write_all(*state, batch);
    lock.lock();
    state->dropped += static_cast<std::uint64_t>(std::ranges::count(lost, '\n'));
    state->pending -= batch.size();
    batch.clear();
    if (state->pending == 0) state->emptied.notify_all();
  }
  state->ended = true;
  state->emptied.notify_all();
}

/// Signals are for the thread of the event loop.
class NoSignalsForNewThreads {
 public:
  NoSignalsForNewThreads() {
    sigset_t all;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignalsForNewThreads() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  NoSignalsForNewThreads(const NoSignalsForNewThreads&) = delete;
  NoSignalsForNewThreads& operator=(const NoSignalsForNewThreads&) = delete;

 private:
  sigset_t before_{};
};

std::atomic<const std::atomic<std::size_t>*> pending_at_abort = nullptr;
static_assert(std::atomic<std::size_t>::is_always_lock_free);

/// Only what a signal handler may do: look and sleep, while the other thread writes.
void wait_for_writer(int /*signal*/) {
  const timespec moment{0, 10'000'000};
  const auto* pending = pending_at_abort.load();
  for (auto left = LogSink::kFlushLimit; pending != nullptr && *pending > 0 && left.count() > 0;
       left -= std::chrono::milliseconds{10}) {
    ::nanosleep(&moment, nullptr);
  }
}

}  // namespace

LogSink::LogSink(int fd, std::size_t capacity) : state_(std::make_shared<State>(fd, capacity)) {
  const NoSignalsForNewThreads blocked;
  std::thread{write_lines<State>, state_}.detach();  // waited for by its flag `ended`, with a bound
}

LogSink::~LogSink() {
  if (pending_at_abort.load() == &state_->pending) pending_at_abort = nullptr;
  std::unique_lock lock{state_->mutex};
  state_->closing = true;
  state_->filled.notify_one();
  state_->given_up = !state_->emptied.wait_for(lock, kFlushLimit, [&] { return state_->ended; });
}

bool LogSink::offer(std::string_view line) {
  const std::lock_guard lock{state_->mutex};
  if (line.size() > state_->capacity - state_->pending) {
    ++state_->dropped;
    return false;
  }
  state_->waiting += line;
  state_->pending += line.size();
  state_->filled.notify_one();
  return true;
}

bool LogSink::flush(std::chrono::milliseconds limit) {
  std::unique_lock lock{state_->mutex};
  return state_->emptied.wait_for(lock, limit, [&] { return state_->pending == 0; });
}

std::uint64_t LogSink::dropped() const {
  const std::lock_guard lock{state_->mutex};
  return state_->dropped;
}

void LogSink::flush_on_abort() {
  pending_at_abort = &state_->pending;
  // abort() ends the process all the same when the handler returns.
  std::signal(SIGABRT, wait_for_writer);
}

}  // namespace controller
