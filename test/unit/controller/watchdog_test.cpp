#include "controller/watchdog.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

namespace controller {
namespace {

using namespace std::chrono_literals;

TEST(WatchdogDeathTest, EndsAProcessThatDoesNothingAnyMore) {
  EXPECT_EXIT(
      {
        Watchdog watchdog;
        watchdog.end_at(BootClock::now() + 20ms);
        for (;;) ::pause();
      },
      testing::ExitedWithCode(1), "another replica may act now");
}

TEST(WatchdogDeathTest, EndsAtOnceWhenTheTimeIsOver) {
  EXPECT_EXIT(
      {
        Watchdog watchdog;
        watchdog.end_at(BootClock::now() - 1s);
        for (;;) ::pause();
      },
      testing::ExitedWithCode(1), "another replica may act now");
}

TEST(WatchdogDeathTest, LetsAProcessGoOnThatMovesTheTimeOrDisarmsIt) {
  EXPECT_EXIT(
      {
        Watchdog watchdog;
        watchdog.end_at(BootClock::now() + 20ms);
        watchdog.end_at(BootClock::now() + 1h);
        ::usleep(60'000);
        watchdog.end_at(BootClock::now() + 20ms);
        watchdog.disarm();
        ::usleep(60'000);
        ::_exit(7);
      },
      testing::ExitedWithCode(7), "");
}

}  // namespace
}  // namespace controller
