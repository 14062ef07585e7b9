#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/steady_timer.hpp>
#include <exception>
#include <list>
#include <memory>

namespace controller {

/// Owns every long-running coroutine, so that none is ever detached. The first task that ends with
/// an error other than cancellation cancels all the others; join() waits for all and rethrows that
/// error. Must be empty (joined) when it is destroyed: a task that outlives its group is a bug and
/// aborts.
class TaskGroup {
 public:
  explicit TaskGroup(boost::asio::any_io_executor executor);
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup();

  /// Cancels its one task when asked to; does nothing once the task has ended.
  class Handle {
   public:
    Handle() = default;
    void cancel();

   private:
    friend class TaskGroup;
    explicit Handle(std::weak_ptr<boost::asio::cancellation_signal> signal)
        : signal_(std::move(signal)) {}
    std::weak_ptr<boost::asio::cancellation_signal> signal_;
  };

  /// Starts the task; in a group that is being cancelled it is cancelled at its first wait.
  Handle spawn(boost::asio::awaitable<void> task);
  void cancel();
  bool empty() const { return tasks_.empty(); }
  boost::asio::awaitable<void> join();

 private:
  void finished(std::list<std::shared_ptr<boost::asio::cancellation_signal>>::iterator task,
                const std::exception_ptr& error);

  boost::asio::any_io_executor executor_;
  boost::asio::steady_timer empty_;  ///< never expires; cancelled when the last task ends
  std::list<std::shared_ptr<boost::asio::cancellation_signal>> tasks_;
  std::exception_ptr first_error_;
  bool cancelled_ = false;
};

}  // namespace controller
