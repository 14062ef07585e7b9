#include "test/model/world.hpp"

#include <cstring>
#include <utility>

namespace model {
namespace {

/// Calls `visit` with every copy of the node and of the removal in the world.
template <typename Visit>
void for_each_copy(World& world, Visit visit) {
  visit(world.node);
  visit(world.removal);
  for (auto& process : world.processes) {
    visit(process.node);
    visit(process.removal);
    for (std::size_t i = 0; i < process.answered; ++i) {
      visit(process.answers[i].node);
      visit(process.answers[i].removal);
    }
  }
}

template <typename Object>
void renumber(World& world) {
  std::array<Byte, 256> rank{};
  const auto is_one = [](const auto& object) {
    return std::is_same_v<std::remove_cvref_t<decltype(object)>, Object>;
  };
  for_each_copy(world, [&](auto& object) {
    if (is_one(object)) rank[object.version] = 1;
  });
  Byte next = 0;
  for (auto& number : rank) {
    if (number != 0) number = ++next;
  }
  for_each_copy(world, [&](auto& object) {
    if (is_one(object)) object.version = rank[object.version];
  });
}

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <typename T>
  void read(T& value) {
    std::memcpy(static_cast<void*>(&value), rest_.data(), sizeof value);
    rest_.remove_prefix(sizeof value);
  }

 private:
  std::string_view rest_;
};

template <typename Io, typename W>
void for_world_part(W& world, Io io) {
  io(world.removal);
  io(world.node);
  io(world.pods);
  io(world.replaced);
  io(world.attached);
  io(world.recorded);
  io(world.outage);
  io(world.budget_blocks);
  io(world.hand_uncordoned);
  io(world.cordoned_by_hand);
  io(world.closed_for);
  io(world.hand_over);
  io(world.machine);
  io(world.budget);
}

/// All but the answers.
template <typename Io, typename P>
void for_process_part(P& process, Io io) {
  io(process.removal);
  io(process.node);
  io(process.pods);
  io(process.actions);
  io(process.alive);
  io(process.told);
  io(process.cleared);
  io(process.refused);
  io(process.pausing);
  io(process.gate_refused);
  io(process.failed);
  io(process.knows_gone);
  io(process.answered);
}

}  // namespace

void canonicalise(World& world) {
  renumber<NodeState>(world);
  renumber<RemovalState>(world);
}

std::string encode(const World& world) {
  std::string bytes;
  bytes.reserve(160);
  const auto append = [&](const auto& part) { append_bytes(bytes, part); };
  for_world_part(world, append);
  for (const auto& process : world.processes) {
    for_process_part(process, append);
    for (std::size_t i = 0; i < process.answered; ++i) append(process.answers[i]);
  }
  return bytes;
}

World decode(std::string_view bytes) {
  World world;
  Reader reader{bytes};
  const auto read = [&](auto& part) { reader.read(part); };
  for_world_part(world, read);
  for (auto& process : world.processes) {
    for_process_part(process, read);
    for (std::size_t i = 0; i < process.answered; ++i) read(process.answers[i]);
  }
  return world;
}

}  // namespace model
