#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>

namespace plugin {

/// Catches the signals that would end the process, or that a terminal sends, while it lives. Those
/// that whoever started us had ignored stay so. A second signal to end ends the process.
class Interrupts {
 public:
  explicit Interrupts(const boost::asio::any_io_executor& executor);

  /// The signal that asks to end; 0: none yet.
  int caught() const { return caught_; }
  /// Called at every signal, also SIGWINCH and SIGTSTP.
  void on_signal(std::function<void(int)> called) { called_ = std::move(called); }

 private:
  void wait();

  boost::asio::signal_set signals_;
  std::function<void(int)> called_;
  int caught_ = 0;
};

}  // namespace plugin
