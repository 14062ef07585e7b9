#include "controller/plugin/interrupts.hpp"

#include <csignal>

namespace plugin {

Interrupts::Interrupts(const boost::asio::any_io_executor& executor) : signals_(executor) {
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH}) {
    struct sigaction now{};
    ::sigaction(number, nullptr, &now);
    if (now.sa_handler != SIG_IGN) signals_.add(number);
  }
  wait();
}

void Interrupts::wait() {
  signals_.async_wait([this](const boost::system::error_code& error, int number) {
    if (error) return;
    if (number != SIGTSTP && number != SIGWINCH) {
      caught_ = number;
      signals_.remove(number);
    }
    if (called_) called_(number);
    wait();
  });
}

}  // namespace plugin
