#include "controller/host_cleanup/tool.hpp"

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr std::string_view kFolders =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/bin";
constexpr std::size_t kMaxErrors = 4096;
constexpr auto kTick = 20ms;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { close(); }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void set(int fd) {
    close();
    fd_ = fd;
  }
  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }

 private:
  int fd_;
};

struct Pipe {
  Descriptor read;
  Descriptor write;
  bool open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return false;
    read.set(ends[0]);
    write.set(ends[1]);
    return true;
  }
};

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (auto& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

/// Between fork and exec: only what is safe there.
[[noreturn]] void become(const char* program, char* const* arguments, char* const* environment,
                         const std::array<int, 3>& files, pid_t parent) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  for (int i = 0; i < 3; ++i) {
    if (::dup2(files[static_cast<std::size_t>(i)], i) < 0) ::_exit(127);
  }
  ::syscall(SYS_close_range, 3U, UINT_MAX, CLOSE_RANGE_CLOEXEC);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  ::umask(022);
  ::execve(program, arguments, environment);
  ::_exit(127);
}

/// A program that runs, and our ends of its pipes.
class RunningTool {
 public:
  RunningTool(const ToolCall& call, ToolResult& result) : call_(call), result_(result) {}

  bool start(const fs::path& program) {
    Pipe in;
    Pipe out;
    Pipe errors;
    if (!in.open() || !out.open() || !errors.open()) return false;
    std::vector<std::string> arguments{program.string()};
    arguments.insert(arguments.end(), call_.arguments.begin(), call_.arguments.end());
    std::vector<std::string> environment{"PATH=" + tool_path(), "LC_ALL=C", "HOME=/root",
                                         "SYSTEMD_PAGER=", "SYSTEMD_COLORS=0"};
    const auto argv = pointers_to(arguments);
    const auto envp = pointers_to(environment);
    const std::array<int, 3> files{in.read.get(), out.write.get(), errors.write.get()};
    const auto parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) become(program.c_str(), argv.data(), envp.data(), files, parent);
    if (pid_ < 0) return false;
    ::setpgid(pid_, pid_);
    take(in_, in.write);
    take(out_, out.read);
    take(errors_, errors.read);
    return true;
  }

  void run_to_end() {
    const auto deadline = Clock::now() + call_.timeout;
    if (call_.input.empty()) in_.close();
    while (!has_ended()) {
      if (Clock::now() >= deadline) {
        result_.timed_out = true;
        result_.failure = "did not end within " +
                          std::to_string(call_.timeout / std::chrono::seconds(1)) +
                          " s and was killed";
        break;
      }
      transfer();
      if (too_much_) {
        result_.failure =
            "printed more than " + std::to_string(call_.max_output) + " bytes and was killed";
        break;
      }
    }
    if (ended_) {
      drain();
      return conclude();
    }
    ::kill(-pid_, SIGKILL);
    // Who waits in the kernel for a dead server is not ended by that either.
    for (int i = 0; i < 50 && !has_ended(); ++i) ::usleep(20'000);
  }

 private:
  static void take(Descriptor& mine, Descriptor& end) {
    mine.set(::fcntl(end.get(), F_DUPFD_CLOEXEC, 3));
    ::fcntl(mine.get(), F_SETFL, O_NONBLOCK);
    end.close();
  }

  bool has_ended() {
    if (!ended_ && ::waitpid(pid_, &status_, WNOHANG) == pid_) ended_ = true;
    return ended_;
  }

  void transfer() {
    std::array<pollfd, 3> files{
        {{in_.get(), POLLOUT, 0}, {out_.get(), POLLIN, 0}, {errors_.get(), POLLIN, 0}}};
    // With all pipes closed only the end is waited for.
    const bool any = in_.is_open() || out_.is_open() || errors_.is_open();
    ::poll(files.data(), files.size(), any ? static_cast<int>(kTick.count()) : 2);
    if (files[0].revents != 0) feed();
    if (files[1].revents != 0) read_from(out_, result_.output);
    if (files[2].revents != 0) read_from(errors_, result_.errors);
  }

  void feed() {
    const auto rest = call_.input.size() - fed_;
    const auto count = ::write(in_.get(), call_.input.data() + fed_, rest);
    if (count > 0) fed_ += static_cast<std::size_t>(count);
    if ((count < 0 && errno != EAGAIN && errno != EINTR) || fed_ == call_.input.size()) {
      in_.close();
    }
  }

  /// False when there is nothing to read now.
  bool read_from(Descriptor& file, std::string& to) {
    std::array<char, 65536> buffer{};
    const auto count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0) {
      if (errno != EAGAIN && errno != EINTR) file.close();
      return false;
    }
    if (count == 0) {
      file.close();
      return false;
    }
    to.append(buffer.data(), static_cast<std::size_t>(count));
    if (&to == &result_.errors && to.size() > kMaxErrors) to.erase(0, to.size() - kMaxErrors);
    if (&to == &result_.output && to.size() > call_.max_output) {
      to.resize(call_.max_output);
      too_much_ = true;
    }
    return !too_much_;
  }

  void drain() {
    while (out_.is_open() && read_from(out_, result_.output)) {
    }
    while (errors_.is_open() && read_from(errors_, result_.errors)) {
    }
  }

  void conclude() {
    if (too_much_) {
      result_.failure = "printed more than " + std::to_string(call_.max_output) + " bytes";
    } else if (WIFEXITED(status_)) {
      result_.exit_code = WEXITSTATUS(status_);
      if (result_.exit_code != 0) {
        result_.failure = "ended with exit code " + std::to_string(result_.exit_code);
      }
    } else {
      result_.failure = "was ended by signal " + std::to_string(WTERMSIG(status_));
    }
  }

  const ToolCall& call_;
  ToolResult& result_;
  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false;
  bool too_much_ = false;
  std::size_t fed_ = 0;
  Descriptor in_;
  Descriptor out_;
  Descriptor errors_;
};

}  // namespace

std::string tool_path() {
  const char* const set = std::getenv("PATH");
  const std::string path = set == nullptr ? "" : set;
  return path.empty() ? std::string{kFolders} : path + ":" + std::string{kFolders};
}

std::optional<fs::path> find_tool(std::string_view name) {
  for (const auto& folder : split(tool_path(), ':')) {
    if (!folder.starts_with('/')) continue;
    auto path = fs::path{folder} / name;
    std::error_code error;
    if (fs::is_regular_file(path, error) && ::access(path.c_str(), X_OK) == 0) return path;
  }
  return std::nullopt;
}

ToolResult run_tool(const ToolCall& call) {
  ToolResult result;
  const auto program = find_tool(call.name);
  if (!program) {
    result.missing = true;
    result.failure = "is not installed";
    return result;
  }
  RunningTool tool{call, result};
  if (!tool.start(*program)) {
    result.failure = std::string{"cannot be started: "} + std::strerror(errno);
    return result;
  }
  tool.run_to_end();
  return result;
}

std::string words_of(const ToolResult& result) {
  const auto words = one_line(result.errors);
  const bool ended = result.exit_code >= 0;
  return ended && !words.empty() ? words : result.failure;
}

}  // namespace host_cleanup
