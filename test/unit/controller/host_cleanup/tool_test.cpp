#include "controller/host_cleanup/tool.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cerrno>
#include <chrono>
#include <csignal>

#include "controller/host_cleanup/text.hpp"

namespace host_cleanup {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

ToolResult shell(const std::string& script, std::chrono::milliseconds timeout = 10s) {
  return run_tool({.name = "sh", .arguments = {"-c", script}, .timeout = timeout});
}

TEST(Tool, GivesWhatTheProgramPrintsAndSays) {
  const auto result = shell("echo out; echo oops >&2; exit 3");
  EXPECT_EQ(result.output, "out\n");
  EXPECT_EQ(result.errors, "oops\n");
  EXPECT_EQ(result.exit_code, 3);
  EXPECT_EQ(result.failure, "ended with exit code 3");
  EXPECT_EQ(words_of(result), "oops");
  EXPECT_EQ(shell("true").failure, "");
}

TEST(Tool, GetsItsInputAndGivesAllOfItBack) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::string text(300'000, 'x');
  const auto result = run_tool({.name = "cat", .arguments = {}, .input = text});
  EXPECT_EQ(result.failure, "");
  EXPECT_EQ(result.output, text);
  EXPECT_EQ(run_tool({.name = "true", .arguments = {}, .input = text}).failure, "")
      << "a program may leave its input unread";
}

TEST(Tool, IsKilledWithItsChildrenWhenItIsLate) {
  const auto begin = Clock::now();
  const auto result = shell("sleep 100 & echo $!; wait", 100ms);
  EXPECT_LT(Clock::now() - begin, 5s);
  EXPECT_TRUE(result.timed_out);
  EXPECT_THAT(result.failure, HasSubstr("was killed"));
  EXPECT_THAT(read_kernel_file("/proc/" + one_line(result.output) + "/comm"),
              testing::AnyOf("", "sleep\n"));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_EQ(errno, ECHILD);
}

TEST(Tool, IsNotWaitedForWhenItLeavesAProcessBehind) {
  const auto begin = Clock::now();
  const auto result = shell("setsid sleep 3 & echo started");
  EXPECT_LT(Clock::now() - begin, 2s);
  EXPECT_EQ(result.output, "started\n");
  EXPECT_EQ(result.failure, "");
}

TEST(Tool, MayNotPrintTooMuch) {
  const auto result =
      run_tool({.name = "sh", .arguments = {"-c", "yes"}, .timeout = 10s, .max_output = 1000});
  EXPECT_THAT(result.failure, HasSubstr("printed more than 1000 bytes"));
  EXPECT_EQ(result.output.size(), 1000U);
  const auto short_one =
      run_tool({.name = "sh", .arguments = {"-c", "echo 123456"}, .timeout = 10s, .max_output = 3});
  EXPECT_THAT(short_one.failure, HasSubstr("printed more than 3 bytes"));
}

TEST(Tool, KeepsTheEndOfManyErrors) {
  const auto result = shell("yes | head -c 100000 >&2; echo last >&2");
  EXPECT_LE(result.errors.size(), 4096U);
  EXPECT_TRUE(result.errors.ends_with("last\n"));
}

TEST(Tool, SpeaksEnglishAndHasNoneOfOurFiles) {
  EXPECT_THAT(shell("env").output, HasSubstr("LC_ALL=C\n"));
  EXPECT_EQ(shell("ls /proc/self/fd | wc -l").output, "4\n") << "three, and that of ls";
}

TEST(Tool, ThatIsMissingOrKilledSaysSo) {
  const auto missing = run_tool({.name = "no-such-tool", .arguments = {}});
  EXPECT_TRUE(missing.missing);
  EXPECT_EQ(words_of(missing), "is not installed");
  EXPECT_EQ(find_tool("no-such-tool"), std::nullopt);
  EXPECT_EQ(shell("kill -9 $$").failure, "was ended by signal 9");
}

}  // namespace
}  // namespace host_cleanup
