#include "controller/child_process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <optional>
#include <string>

#include "test/fake/temporary_folder.hpp"

namespace controller {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Outcome = std::expected<ChildResult, std::string>;

class ChildProcessTest : public testing::Test {
 protected:
  void TearDown() override {
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
    EXPECT_EQ(errno, ECHILD);
  }

  Outcome run(ChildCommand command) {
    std::optional<Outcome> out;
    boost::asio::co_spawn(
        io_, run_child(std::move(command), limits_),
        boost::asio::bind_cancellation_slot(cancel_.slot(),
                                            [&](const std::exception_ptr& error, Outcome outcome) {
                                              failed_ = error != nullptr;
                                              out = std::move(outcome);
                                            }));
    io_.restart();
    io_.run();
    return out.value_or(std::unexpected("nothing"));
  }

  Outcome shell(const std::string& script) {
    ChildCommand command;
    command.program = "/bin/sh";
    command.args = {"-c", script};
    return run(std::move(command));
  }

  static bool is_alive(const std::string& pid) {
    return ::kill(static_cast<pid_t>(std::stol(pid)), 0) == 0;
  }

  /// Processes that are not our children end a moment after they were killed.
  static bool ends(const std::string& pid) {
    const auto deadline = std::chrono::steady_clock::now() + seconds(10);
    while (is_alive(pid) && std::chrono::steady_clock::now() < deadline) ::usleep(1000);
    return !is_alive(pid);
  }

  boost::asio::io_context io_{1};
  boost::asio::cancellation_signal cancel_;
  ChildLimits limits_{seconds(20), 100'000, 100};
  fake::TemporaryFolder folder_;
  bool failed_ = false;
};

TEST_F(ChildProcessTest, GivesBothOutputs) {
  const auto result = shell("echo out; echo err >&2");
  ASSERT_TRUE(result) << result.error();
  EXPECT_EQ(result->failure, "");
  EXPECT_EQ(result->output, "out\n");
  EXPECT_EQ(result->errors, "err\n");
}

TEST_F(ChildProcessTest, ReadsMoreThanAPipeHolds) {
  limits_.max_output = 1'000'000;
  const auto result = shell("head -c 900000 /dev/zero; head -c 900000 /dev/zero >&2; echo end >&2");
  EXPECT_EQ(result->failure, "");
  EXPECT_EQ(result->output.size(), 900'000u);
  EXPECT_EQ(result->errors.size(), 100u);
  EXPECT_TRUE(result->errors.ends_with("end\n"));
}

TEST_F(ChildProcessTest, SaysHowTheProgramFailed) {
  EXPECT_EQ(shell("echo no >&2; exit 3")->failure, "ended with exit code 3");
  EXPECT_EQ(shell("kill -9 $$")->failure, "was killed by signal 9");
}

TEST_F(ChildProcessTest, SaysWhyTheProgramCouldNotBeStarted) {
  ChildCommand command;
  command.program = folder_ / "missing";
  EXPECT_EQ(run(command).error(), "No such file or directory");
}

TEST_F(ChildProcessTest, GivesItNothingOfOurs) {
  const int open_file = ::open("/dev/null", O_RDONLY);  // without O_CLOEXEC
  ASSERT_GE(open_file, 0);
  const auto files = shell("cat; for f in /proc/self/fd/*; do echo ${f##*/}; done");
  ::close(open_file);
  EXPECT_EQ(files->output, "0\n1\n2\n3\n");  // the third is that of the folder while it is listed
}

TEST_F(ChildProcessTest, AddsToTheEnvironment) {
  ::setenv("CHILD_TEST_A", "ours", 1);
  ::setenv("CHILD_TEST_B", "ours", 1);
  ChildCommand command;
  command.program = "/bin/sh";
  command.args = {"-c", "echo $CHILD_TEST_A $CHILD_TEST_B $CHILD_TEST_C"};
  command.env = {{"CHILD_TEST_B", "its"}, {"CHILD_TEST_C", "own"}};
  EXPECT_EQ(run(command)->output, "ours its own\n");
  ::unsetenv("CHILD_TEST_A");
  ::unsetenv("CHILD_TEST_B");
}

TEST_F(ChildProcessTest, LetsABrokenPipeEndItAsUsual) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  EXPECT_EQ(shell("(sh -c 'kill -PIPE $$'; echo $?)")->output, "141\n");
  ::signal(SIGPIPE, before);
}

TEST_F(ChildProcessTest, KillsTheWholeGroupAtTheDeadline) {
  limits_.timeout = milliseconds(200);
  const auto result = shell("sleep 1000 & echo $!; echo waiting >&2; wait");
  EXPECT_EQ(result->failure, "did not end within 200 ms and was killed");
  EXPECT_EQ(result->errors, "waiting\n");
  EXPECT_TRUE(ends(result->output));
}

TEST_F(ChildProcessTest, KillsAProgramThatHasClosedItsOutputsAndGoesOn) {
  limits_.timeout = milliseconds(200);
  const auto result = shell("exec >&- 2>&-; exec sleep 1000");
  EXPECT_EQ(result->failure, "did not end within 200 ms and was killed");
}

TEST_F(ChildProcessTest, KillsAProgramThatPrintsTooMuch) {
  const auto result = shell("cat /dev/zero");
  EXPECT_EQ(result->failure, "printed more than 100000 bytes and was killed");
}

TEST_F(ChildProcessTest, DoesNotWaitForAProcessThatTheProgramLeavesBehind) {
  const auto result = shell("sleep 1000 & echo $!");
  EXPECT_EQ(result->failure, "");
  ASSERT_TRUE(is_alive(result->output));
  ::kill(static_cast<pid_t>(std::stol(result->output)), SIGKILL);
}

TEST_F(ChildProcessTest, KillsTheProgramWhenTheCallIsCancelled) {
  boost::asio::steady_timer cancel(io_, milliseconds(200));
  cancel.async_wait([&](const auto&) { cancel_.emit(boost::asio::cancellation_type::terminal); });
  const auto file = (folder_ / "pid").string();
  shell("sleep 1000 & echo $! > " + file + "; wait");
  EXPECT_TRUE(failed_);
  EXPECT_TRUE(ends(folder_.read("pid")));
}

}  // namespace
}  // namespace controller
