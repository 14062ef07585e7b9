#include "controller/slot_pool.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <list>

namespace controller {

namespace asio = boost::asio;

// Invariant: nobody waits while a slot is free.
struct SlotPool::State {
  std::size_t free;
  std::list<Waiter*> waiters;
};

// Lives in the frame of acquire(). Its destructor makes sure that a slot handed to a coroutine that
// was destroyed before it could resume is not lost.
struct SlotPool::Waiter {
  Waiter(std::shared_ptr<State> its_state, const asio::any_io_executor& executor)
      : state(std::move(its_state)), wake(executor, asio::steady_timer::time_point::max()) {
    state->waiters.push_back(this);
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() {
    if (!state) return;
    if (granted) {
      give_back(*state);
    } else {
      state->waiters.remove(this);
    }
  }

  std::shared_ptr<State> state;
  asio::steady_timer wake;  // used as a condition variable
  bool granted = false;
};

SlotPool::SlotPool(std::size_t slots) : state_(std::make_shared<State>()) { state_->free = slots; }
SlotPool::~SlotPool() = default;

SlotPool::Slot::~Slot() {
  if (state_) give_back(*state_);
}

void SlotPool::give_back(State& state) {
  if (state.waiters.empty()) {
    ++state.free;
    return;
  }
  Waiter* first = state.waiters.front();
  state.waiters.pop_front();
  first->granted = true;
  first->wake.cancel();
}

asio::awaitable<SlotPool::Slot> SlotPool::acquire() {
  if (state_->free > 0) {
    --state_->free;
    co_return Slot(state_);
  }
  auto executor = co_await asio::this_coro::executor;
  Waiter waiter(state_, executor);
  co_await waiter.wake.async_wait(asio::as_tuple(asio::use_awaitable));
  if (!waiter.granted) throw boost::system::system_error(asio::error::operation_aborted);
  waiter.granted = false;
  co_return Slot(std::exchange(waiter.state, nullptr));
}

std::size_t SlotPool::waiting() const { return state_->waiters.size(); }
std::size_t SlotPool::free() const { return state_->free; }

}  // namespace controller
