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

struct Fixed {
  RemovalState removal;
  NodeState node;
  Pods pods;
  std::uint16_t actions;
  bool alive;
  Byte told, cleared, refused, pausing;
  bool gate_refused, failed, knows_gone;
  Byte answered;
};

Fixed fixed_part(const Process& process) {
  Fixed part;
  std::memset(&part, 0, sizeof part);
  part.removal = process.removal;
  part.node = process.node;
  part.pods = process.pods;
  part.actions = process.actions;
  part.alive = process.alive;
  part.told = process.told;
  part.cleared = process.cleared;
  part.refused = process.refused;
  part.pausing = process.pausing;
  part.gate_refused = process.gate_refused;
  part.failed = process.failed;
  part.knows_gone = process.knows_gone;
  part.answered = process.answered;
  return part;
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
  io(world.budget);
}

}  // namespace

void canonicalise(World& world) {
  renumber<NodeState>(world);
  renumber<RemovalState>(world);
}

std::string encode(const World& world) {
  std::string bytes;
  bytes.reserve(160);
  for_world_part(world, [&](const auto& part) { append_bytes(bytes, part); });
  for (const auto& process : world.processes) {
    const auto part = fixed_part(process);
    bytes.append(reinterpret_cast<const char*>(&part), sizeof part);
    for (std::size_t i = 0; i < process.answered; ++i) append_bytes(bytes, process.answers[i]);
  }
  return bytes;
}

World decode(std::string_view bytes) {
  World world;
  Reader reader{bytes};
  for_world_part(world, [&](auto& part) { reader.read(part); });
  for (auto& process : world.processes) {
    Fixed part;
    reader.read(part);
    process.removal = part.removal;
    process.node = part.node;
    process.pods = part.pods;
    process.actions = part.actions;
    process.alive = part.alive;
    process.told = part.told;
    process.cleared = part.cleared;
    process.refused = part.refused;
    process.pausing = part.pausing;
    process.gate_refused = part.gate_refused;
    process.failed = part.failed;
    process.knows_gone = part.knows_gone;
    process.answered = part.answered;
    for (std::size_t i = 0; i < process.answered; ++i) reader.read(process.answers[i]);
  }
  return world;
}

}  // namespace model
