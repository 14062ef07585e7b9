#include "controller/log_sink.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <optional>

#include "controller/log.hpp"

namespace controller {
namespace {

using namespace std::chrono_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;

constexpr std::size_t kPipeBytes = 4096;  // the least there is
constexpr auto kLong = 10s;

/// A pipe as small as it can be, which nobody reads until a test does.
class LogSinkTest : public testing::Test {
 protected:
  LogSinkTest() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
    ::fcntl(ends_[1], F_SETPIPE_SZ, kPipeBytes);
  }

  ~LogSinkTest() override {
    close_reader();
    if (ends_[1] >= 0) ::close(ends_[1]);
  }

  void TearDown() override {
    set_log_sink(nullptr);
    set_log_format(LogFormat::Text);
  }

  int writer() const { return ends_[1]; }

  void close_reader() {
    if (ends_[0] >= 0) ::close(std::exchange(ends_[0], -1));
  }

  /// Blocks until something is there.
  std::string read_some() {
    std::array<char, kPipeBytes> buffer{};
    const auto size = ::read(ends_[0], buffer.data(), buffer.size());
    return {buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
  }

  /// What is there, without waiting for more.
  std::string read_what_is_there() {
    ::fcntl(ends_[0], F_SETFL, O_NONBLOCK);
    std::string out;
    for (auto piece = read_some(); !piece.empty(); piece = read_some()) out += piece;
    ::fcntl(ends_[0], F_SETFL, 0);
    return out;
  }

  std::string read_bytes(std::size_t count) {
    std::string out;
    while (out.size() < count) out += read_some();
    return out;
  }

  std::array<int, 2> ends_{-1, -1};
};

std::string line(int number) {
  auto text = std::to_string(number);
  return std::string(99 - text.size(), '0') + text + "\n";
}

TEST_F(LogSinkTest, WritesTheLinesInTheirOrder) {
  LogSink sink{writer()};
  std::string expected;
  for (int i = 0; i < 20; ++i) {
    EXPECT_TRUE(sink.offer(line(i)));
    expected += line(i);
  }
  EXPECT_TRUE(sink.flush(kLong));
  EXPECT_EQ(read_bytes(expected.size()), expected);
  EXPECT_EQ(sink.dropped(), 0U);
}

TEST_F(LogSinkTest, DropsWholeLinesInsteadOfWaitingForAReader) {
  LogSink sink{writer(), 2 * kPipeBytes};
  std::string expected;
  int dropped = 0;
  for (int i = 0; i < 1000; ++i) {  // would never end if it waited
    if (sink.offer(line(i))) {
      expected += line(i);
    } else {
      ++dropped;
    }
  }
  EXPECT_GT(dropped, 0);
  EXPECT_EQ(sink.dropped(), static_cast<std::uint64_t>(dropped));
  EXPECT_FALSE(sink.flush(1ms)) << "nobody reads";
  EXPECT_EQ(read_bytes(expected.size()), expected);
  EXPECT_TRUE(sink.flush(kLong));
  EXPECT_TRUE(sink.offer(line(1))) << "there is room again";
}

TEST_F(LogSinkTest, TakesNoLineThatIsLongerThanItsQueue) {
  LogSink sink{writer(), 100};
  EXPECT_FALSE(sink.offer(std::string(101, 'x')));
  EXPECT_EQ(sink.dropped(), 1U);
  EXPECT_TRUE(sink.offer(line(1)));
}

TEST_F(LogSinkTest, EndsAlthoughNobodyReads) {
  {
    LogSink sink{writer(), 4 * kPipeBytes};
    while (sink.offer(line(0))) {
    }
  }
  SUCCEED() << "the destructor returned";
  // The thread that was left behind may be at its last write until the reader is closed.
  ends_[1] = -1;
}

TEST_F(LogSinkTest, EndsWithAllLinesWritten) {
  {
    LogSink{writer()}.offer(line(1));
  }
  EXPECT_EQ(read_some(), line(1));
}

TEST_F(LogSinkTest, GoesOnWhenItsReaderIsGone) {
  close_reader();
  LogSink sink{writer()};
  EXPECT_TRUE(sink.offer(line(1)));
  EXPECT_TRUE(sink.flush(kLong)) << "what nobody can read is lost, not kept";
  EXPECT_EQ(sink.dropped(), 1U);
}

TEST_F(LogSinkTest, CountsWhatDoesNotFitOnAFullDisk) {
  const int full = ::open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  {
    LogSink sink{full};
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(sink.offer(line(i)));
    EXPECT_TRUE(sink.flush(kLong));
    EXPECT_EQ(sink.dropped(), 3U);
  }
  ::close(full);
}

TEST_F(LogSinkTest, WritesToAFileThatSomebodyMadeNonBlocking) {
  ::fcntl(writer(), F_SETFL, O_NONBLOCK);
  LogSink sink{writer()};
  std::string expected;
  for (int i = 0; i < 200; ++i) {
    EXPECT_TRUE(sink.offer(line(i)));
    expected += line(i);
  }
  EXPECT_EQ(read_bytes(expected.size()), expected);
}

TEST_F(LogSinkTest, CarriesTheLogAndSaysInTheNextLineWhatWasDropped) {
  set_log_format(LogFormat::Json);
  const auto before = dropped_log_lines();
  std::optional<LogSink> sink{std::in_place, writer(), 2 * kPipeBytes};
  set_log_sink(&*sink);
  while (dropped_log_lines() < before + 3) log(LogLevel::Info, "many");
  std::string heard;
  while (!sink->flush(1ms)) heard += read_some();
  heard += read_what_is_there();
  EXPECT_THAT(heard, Not(HasSubstr("linesDropped")));
  log(LogLevel::Info, "after");
  log(LogLevel::Info, "then");
  EXPECT_TRUE(sink->flush(kLong));
  set_log_sink(nullptr);
  sink.reset();
  heard = read_some();
  EXPECT_THAT(heard, HasSubstr(R"("message":"after","fields":{"linesDropped":"3"}})"));
  EXPECT_THAT(heard, EndsWith("\"message\":\"then\"}\n"));
  EXPECT_EQ(dropped_log_lines(), before + 3) << "the count outlives the sink";
}

TEST(LogSinkDeathTest, LosesNothingWhenTheProcessAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        LogSink sink{STDERR_FILENO};
        sink.flush_on_abort();
        for (int i = 0; i < 1000; ++i) sink.offer(line(i));
        sink.offer("the last words\n");
        std::abort();
      },
      testing::KilledBySignal(SIGABRT), "the last words");
}

}  // namespace
}  // namespace controller
