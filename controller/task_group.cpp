#include "controller/task_group.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cstdlib>
#include <utility>
#include <vector>

namespace controller {
namespace asio = boost::asio;

namespace {

bool is_cancellation(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const boost::system::system_error& failure) {
    return failure.code() == asio::error::operation_aborted;
  } catch (...) {
    return false;
  }
}

}  // namespace

TaskGroup::TaskGroup(asio::any_io_executor executor)
    : executor_(std::move(executor)), empty_(executor_, asio::steady_timer::time_point::max()) {}

TaskGroup::~TaskGroup() {
  if (!tasks_.empty()) std::abort();
}

void TaskGroup::Handle::cancel() {
  if (const auto signal = signal_.lock()) signal->emit(asio::cancellation_type::terminal);
}

TaskGroup::Handle TaskGroup::spawn(asio::awaitable<void> task) {
  const auto signal = std::make_shared<asio::cancellation_signal>();
  const auto position = tasks_.insert(tasks_.end(), signal);
  asio::co_spawn(executor_, std::move(task),
                 asio::bind_cancellation_slot(signal->slot(),
                                              [this, position](const std::exception_ptr& error) {
                                                finished(position, error);
                                              }));
  if (cancelled_) {
    asio::post(executor_, [handle = Handle{signal}]() mutable { handle.cancel(); });
  }
  return Handle{signal};
}

void TaskGroup::finished(std::list<std::shared_ptr<asio::cancellation_signal>>::iterator task,
                         const std::exception_ptr& error) {
  tasks_.erase(task);
  if (error && !is_cancellation(error)) {
    if (!first_error_) first_error_ = error;
    cancel();
  }
  if (tasks_.empty()) empty_.cancel();
}

void TaskGroup::cancel() {
  cancelled_ = true;
  const std::vector<std::shared_ptr<asio::cancellation_signal>> signals{tasks_.begin(),
                                                                        tasks_.end()};
  for (const auto& signal : signals) signal->emit(asio::cancellation_type::terminal);
}

asio::awaitable<void> TaskGroup::join() {
  while (!tasks_.empty()) {
    boost::system::error_code
        ignored;  // the wait ends by cancel(), which is how the timer tells us
    co_await empty_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  if (first_error_) std::rethrow_exception(first_error_);
}

}  // namespace controller
