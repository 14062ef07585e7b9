#pragma once

#include <boost/asio/awaitable.hpp>
#include <cstddef>
#include <memory>
#include <utility>

namespace controller {

/// A fair counting semaphore for coroutines of one thread: who waits longest is served first, and
/// nobody who comes later overtakes. Slots and waiters may outlive the pool.
class SlotPool {
  struct State;
  struct Waiter;

 public:
  /// One of the slots; given back on destruction.
  class Slot {
   public:
    Slot(Slot&& other) noexcept : state_(std::exchange(other.state_, nullptr)) {}
    Slot& operator=(Slot&&) = delete;
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot();

   private:
    friend class SlotPool;
    explicit Slot(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };

  explicit SlotPool(std::size_t slots);
  ~SlotPool();
  SlotPool(const SlotPool&) = delete;
  SlotPool& operator=(const SlotPool&) = delete;

  /// Waits for a slot. Has no deadline of its own; throws operation_aborted when cancelled.
  boost::asio::awaitable<Slot> acquire();
  std::size_t waiting() const;
  std::size_t free() const;

 private:
  static void give_back(State& state);

  std::shared_ptr<State> state_;
};

}  // namespace controller
