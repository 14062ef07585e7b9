#include "controller/wall_clock.hpp"

#include <gtest/gtest.h>

namespace controller {
namespace {

using namespace std::chrono_literals;

/// A machine whose two clocks a test moves.
struct Machine {
  WallClock clock;
  crd::TimePoint wall{1'800'000'000'000ms};
  BootClock::time_point boot{5h};

  Machine() { clock.read(wall, boot); }

  void pass(std::chrono::milliseconds time) {
    wall += time;
    boot += time;
  }
  crd::WallTime read() { return clock.read(wall, boot); }
};

TEST(WallClock, IsTrustedFromTheBeginningWhenItNeverJumps) {
  Machine machine;
  for (int day = 0; day < 100; ++day) {
    machine.pass(24h);
    EXPECT_EQ(machine.read().now, machine.wall);
    EXPECT_EQ(machine.read().even_since, crd::TimePoint{});
  }
}

TEST(WallClock, IsTrustedOnlySinceItWasSetForward) {
  Machine machine;
  machine.pass(1500ms);
  machine.wall += 1h;
  const auto set = machine.wall;
  EXPECT_EQ(machine.read().even_since, set + 500ms) << "up to the next whole second";
  machine.pass(10min);
  EXPECT_EQ(machine.read().even_since, set + 500ms);
  machine.wall += 1h;
  EXPECT_GT(machine.read().even_since, set + 1h);
}

TEST(WallClock, NoticesThatTheMachineWasPausedByItsHost) {
  Machine machine;
  machine.wall += 10min;  // what the host tells it afterwards; its own clock stood still
  EXPECT_EQ(machine.read().even_since, machine.wall);
}

TEST(WallClock, NoticesThatItIsSetForwardAgainAfterItWasSetBack) {
  Machine machine;
  machine.wall -= 1h;
  EXPECT_EQ(machine.read().even_since, crd::TimePoint{});
  machine.wall += 1h;
  EXPECT_EQ(machine.read().even_since, machine.wall);
}

TEST(WallClock, NoticesManySmallSteps) {
  Machine machine;
  for (int step = 0; step < 10; ++step) {
    machine.wall += 100ms;
    EXPECT_EQ(machine.read().even_since, crd::TimePoint{}) << step;
  }
  machine.wall += 100ms;
  EXPECT_GE(machine.read().even_since, machine.wall);
}

}  // namespace
}  // namespace controller
