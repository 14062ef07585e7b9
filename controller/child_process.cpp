#include "controller/child_process.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>
#include <string_view>

#include "controller/tcp_connector.hpp"
#include "controller/with_timeout.hpp"

namespace controller {
namespace {

namespace asio = boost::asio;

constexpr auto kAsTuple = asio::as_tuple(asio::use_awaitable);
constexpr int kFirstFileBesideStandard = 3;
constexpr int kReapAttempts = 1000;  // 1 ms each; a killed process needs none or one

/// A started program. Its destructor kills what is left of its group and reaps it.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    kill_group();
    for (int i = 0; i < kReapAttempts && waitpid(pid_, nullptr, WNOHANG) == 0; ++i) {
      const timespec pause{0, 1'000'000};
      nanosleep(&pause, nullptr);
    }
  }

  // It is not reaped yet, so the number cannot belong to anybody else.
  void kill_group() const { ::kill(-pid_, SIGKILL); }

  bool has_ended() const {
    siginfo_t info{};
    return waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
           info.si_pid == pid_;
  }

  /// Of a program that has ended; the state as waitpid() says it.
  int reap() {
    int status = 0;
    waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_;
};

struct Pipe {
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) ends = {-1, -1};
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(std::size_t which) {
    if (ends[which] >= 0) ::close(ends[which]);
    ends[which] = -1;
  }
  int release_reading() { return std::exchange(ends[0], -1); }

  std::array<int, 2> ends{};
};

struct Run {
  Run(const asio::any_io_executor& executor, ChildLimits its_limits)
      : limits(its_limits), output(executor), errors(executor), signals(executor, SIGCHLD) {}

  ChildLimits limits;
  asio::posix::stream_descriptor output;
  asio::posix::stream_descriptor errors;
  asio::signal_set signals;  // before the program is started: its end must not be missed
  std::optional<Child> child;
  ChildResult result;
  bool too_long = false;
  bool ended = false;

  void take_output(std::string_view bytes) {
    result.output += bytes;
    if (result.output.size() <= limits.max_output || too_long) return;
    too_long = true;
    child->kill_group();
  }
  void take_errors(std::string_view bytes) {
    auto& text = result.errors;
    text += bytes;
    if (text.size() > limits.max_errors) text.erase(0, text.size() - limits.max_errors);
  }
};

std::vector<std::string> environment_with(
    const std::vector<std::pair<std::string, std::string>>& ours) {
  std::vector<std::string> out;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string_view entry(*one);
    const auto name = entry.substr(0, entry.find('='));
    bool replaced = false;
    for (const auto& added : ours) replaced = replaced || added.first == name;
    if (!replaced) out.emplace_back(entry);
  }
  for (const auto& [name, value] : ours) out.push_back(name + "=" + value);
  return out;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// posix_spawn with what every child of ours has; 0 or the errno.
int spawn(const ChildCommand& command, int output, int errors, pid_t& pid) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, errors, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, kFirstFileBesideStandard);
  sigset_t none;
  sigset_t defaults;
  sigemptyset(&none);
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);  // we ignore it
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);

  std::vector<std::string> words{command.program.string()};
  words.insert(words.end(), command.args.begin(), command.args.end());
  auto variables = environment_with(command.env);
  const int error = posix_spawn(&pid, command.program.c_str(), &files, &attributes,
                                pointers(words).data(), pointers(variables).data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return error;
}

asio::awaitable<void> read_until_end(Run& run, asio::posix::stream_descriptor& from,
                                     void (Run::*take)(std::string_view)) {
  std::array<char, 4096> buffer{};
  while (!run.ended && !run.too_long) {
    auto [error, size] = co_await from.async_read_some(asio::buffer(buffer), kAsTuple);
    (run.*take)(std::string_view(buffer.data(), size));
    if (error) co_return;
  }
}

asio::awaitable<void> wait_for_end(Run& run) {
  while (!run.child->has_ended()) {
    auto [error, number] = co_await run.signals.async_wait(kAsTuple);
    if (error) co_return;
  }
  run.ended = true;
  run.output.cancel();
  run.errors.cancel();
}

/// What has been written before the end and was not read yet; without waiting.
void drain(Run& run, asio::posix::stream_descriptor& from, void (Run::*take)(std::string_view)) {
  std::array<char, 4096> buffer{};
  ssize_t size = 0;
  while (!run.too_long && (size = ::read(from.native_handle(), buffer.data(), buffer.size())) > 0) {
    (run.*take)(std::string_view(buffer.data(), static_cast<std::size_t>(size)));
  }
}

asio::awaitable<void> follow(Run& run) {
  auto executor = co_await asio::this_coro::executor;
  co_await asio::experimental::make_parallel_group(
      asio::co_spawn(executor, read_until_end(run, run.output, &Run::take_output), asio::deferred),
      asio::co_spawn(executor, read_until_end(run, run.errors, &Run::take_errors), asio::deferred),
      asio::co_spawn(executor, wait_for_end(run), asio::deferred))
      .async_wait(asio::experimental::wait_for_all(), asio::use_awaitable);
}

std::string in_words(int status) {
  if (WIFSIGNALED(status)) return fmt::format("was killed by signal {}", WTERMSIG(status));
  if (WEXITSTATUS(status) != 0) return fmt::format("ended with exit code {}", WEXITSTATUS(status));
  return {};
}

}  // namespace

asio::awaitable<std::expected<ChildResult, std::string>> run_child(ChildCommand command,
                                                                   ChildLimits limits) {
  auto executor = co_await asio::this_coro::executor;
  const auto deadline = std::chrono::steady_clock::now() + limits.timeout;
  Run run(executor, limits);
  {
    Pipe output;
    Pipe errors;
    pid_t pid = -1;
    if (output.ends[0] < 0 || errors.ends[0] < 0) co_return std::unexpected(std::strerror(errno));
    const int error = spawn(command, output.ends[1], errors.ends[1], pid);
    if (error != 0) co_return std::unexpected(std::strerror(error));
    run.child.emplace(pid);
    run.output.assign(output.release_reading());
    run.errors.assign(errors.release_reading());
  }
  run.output.native_non_blocking(true);
  run.errors.native_non_blocking(true);

  const bool in_time = co_await finish_before(deadline, follow(run));
  if (!run.ended) {
    run.child->kill_group();
    run.result.failure = in_time ? std::string("could not be waited for")
                                 : fmt::format("did not end within {} and was killed",
                                               controller::in_words(limits.timeout));
    co_return std::move(run.result);
  }
  drain(run, run.output, &Run::take_output);
  drain(run, run.errors, &Run::take_errors);
  if (run.too_long) {
    run.result.failure =
        fmt::format("printed more than {} bytes and was killed", limits.max_output);
    co_return std::move(run.result);
  }
  run.result.failure = in_words(run.child->reap());
  co_return std::move(run.result);
}

}  // namespace controller
