#include "controller/watchdog.hpp"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <ctime>
#include <string_view>
#include <system_error>

namespace controller {
namespace {

void end_process(int) {
  constexpr std::string_view kMessage =
      "the lease could not be renewed in time; another replica may act now, so this one ends\n";
  // A log that nobody reads must not keep us: write only when it takes the line at once.
  pollfd log{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&log, 1, 0) == 1 && (log.revents & POLLOUT) != 0) {
    [[maybe_unused]] const auto written = ::write(STDERR_FILENO, kMessage.data(), kMessage.size());
  }
  ::_exit(1);
}

void set(timer_t timer, const itimerspec& time) {
  if (::timer_settime(timer, TIMER_ABSTIME, &time, nullptr) != 0) {
    throw std::system_error(errno, std::generic_category(), "timer_settime");
  }
}

}  // namespace

Watchdog::Watchdog() {
  struct sigaction action{};
  action.sa_handler = end_process;
  ::sigaction(SIGALRM, &action, nullptr);
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGALRM;
  timer_t timer{};
  if (::timer_create(CLOCK_BOOTTIME, &event, &timer) != 0) {
    throw std::system_error(errno, std::generic_category(), "timer_create");
  }
  timer_ = timer;
}

Watchdog::~Watchdog() { ::timer_delete(timer_); }

void Watchdog::end_at(BootClock::time_point time) {
  const auto since_boot = time.time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_boot);
  itimerspec when{};
  when.it_value.tv_sec = seconds.count();
  when.it_value.tv_nsec = (since_boot - seconds).count();
  set(timer_, when);
}

void Watchdog::disarm() { set(timer_, itimerspec{}); }

}  // namespace controller
