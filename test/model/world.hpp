#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

/// The small world that the explorer walks through: everything that the operator, the API server,
/// the kubelet and the user can tell apart, in small numbers, so that there are finitely many
/// worlds.
///
/// Time is counted in ticks of kTick. Every stamp is an age, which stops at kMaxAge: nothing that
/// the operator waits for takes longer. Versions are ranks, renumbered after every step.
namespace model {

using Byte = std::uint8_t;

inline constexpr int kTickSeconds = 10;
inline constexpr Byte kMaxAge = 2;  ///< in ticks
inline constexpr std::size_t kPods = 3;
inline constexpr std::size_t kProcesses = 2;
inline constexpr std::size_t kMaxAnswers = 8;

enum class Claim : Byte { None, Ours, OursOnCordoned, Unreadable };
/// The annotations of the cleaning of a machine; Others: of an earlier NodeRemoval.
enum class Start : Byte { None, Others, Ours };
enum class Report : Byte { None, OthersSucceeded, Succeeded, Failed };

struct NodeState {
  Byte generation = 0;  ///< 0: there is none; 1: the node meant; 2: its successor of the same name
  Byte version = 0;
  bool ready = true;
  Byte ready_age = kMaxAge;
  bool unschedulable = false;
  Claim claim = Claim::None;
  bool removing = false;        ///< our taint
  bool out_of_service = false;  ///< our taint
  bool is_protected = false;
  Start start = Start::None;
  Report report = Report::None;
  bool operator==(const NodeState&) const = default;
  bool exists() const { return generation != 0; }
  bool is_claimed() const { return claim == Claim::Ours || claim == Claim::OursOnCordoned; }
  bool takes_pods() const { return exists() && !unschedulable && !removing; }
};

struct RemovalState {
  std::uint16_t status = 0;  ///< in Statuses
  Byte version = 0;
  bool exists = false;
  bool deleting = false;
  bool finalizer = false;
  bool suspend = false;
  bool fenced = false;
  bool operator==(const RemovalState&) const = default;
};

/// What a pod is does not change; see Scenario.
enum class PodKind : Byte { None, Replicated, Stateful, Daemon };
enum class PodPhase : Byte { Gone, Unbound, Running, Terminating };

struct PodState {
  PodPhase phase = PodPhase::Gone;
  Byte age = 0;  ///< since it was told to stop
  bool operator==(const PodState&) const = default;
  bool on_node() const { return phase == PodPhase::Running || phase == PodPhase::Terminating; }
};
using Pods = std::array<PodState, kPods>;

/// The pod that hands the cleaning over.
enum class HandOver : Byte { None, Pending, HandedOver, Refused };
/// The machine of the node meant. Waiting: for the start. From Cleaning on its kubelet is stopped
/// for good.
enum class Machine : Byte { Untouched, Waiting, Cleaning, Clean, Unclean };

enum class Fault : Byte { None, NotFound, Conflict, WrongUid, Budget, Unknown };
enum class Verb : Byte {
  None,
  GetRemoval,
  GetNode,
  ListNodes,
  ListPods,
  PatchRemoval,
  PatchNode,
  PatchRecord,
  Evict,
  DeletePod,
  DeleteNode,
  CreateHandOver,
  DeleteHandOver,
};

/// What a process was told: the answer, and the objects as they were then.
struct Answer {
  RemovalState removal;
  NodeState node;
  Pods pods;
  Verb verb = Verb::None;
  Fault fault = Fault::None;
  bool outage = false;
  bool operator==(const Answer&) const = default;
};

/// One process of the operator. The views are what its watches show, which may be behind without
/// limit and, after a restart, still are: the watch cache of the API server is behind as well.
/// While actions are being carried out the views stand still.
struct Process {
  RemovalState removal;
  NodeState node;
  Pods pods;
  std::uint16_t actions = 0;  ///< in Operator; 0: idle
  bool alive = false;
  Byte told = 0;     ///< pods, as bits, whose request was accepted a moment ago
  Byte cleared = 0;  ///< likewise, with grace 0
  Byte refused = 0;  ///< pods whose eviction was refused
  Byte pausing = 0;  ///< of those, the ones that are not asked for again yet
  bool gate_refused = false;
  bool failed = false;
  bool knows_gone = false;  ///< a quorum read found that the node meant is no more
  Byte answered = 0;
  std::array<Answer, kMaxAnswers> answers;
};

/// How often each thing may still go wrong, or be done by a human.
struct Budget {
  Byte crash = 0;
  Byte lost_reply = 0;
  Byte heartbeat = 0;  ///< the kubelet writes the Node and nothing else changes
  Byte kubelet_stops = 0;
  Byte kubelet_returns = 0;
  Byte cancel = 0;
  Byte uncordon = 0;
  Byte cordon = 0;
  Byte take_claim = 0;
  Byte suspend = 0;
  Byte resume = 0;
  Byte fence = 0;
  Byte protect = 0;
  Byte delete_node = 0;
  Byte join_again = 0;
  Byte outage = 0;
  Byte cleaning_fails = 0;
};

struct World {
  RemovalState removal;
  NodeState node;
  Pods pods;
  std::array<bool, kPods> replaced{};  ///< runs elsewhere
  bool attached = false;               ///< the volume of the Stateful pod
  bool recorded = false;               ///< the node is in the record of removed nodes
  bool outage = false;                 ///< the other nodes are NotReady
  bool budget_blocks = false;          ///< the PodDisruptionBudget lets no pod go
  bool hand_uncordoned = false;        ///< a human has uncordoned the node
  bool cordoned_by_hand = false;       ///< a human had cordoned it before the removal did
  Byte closed_for = kMaxAge;           ///< ticks since the node last took pods
  HandOver hand_over = HandOver::None;
  Machine machine = Machine::Untouched;
  Budget budget;
  std::array<Process, kProcesses> processes;
};

/// Renumbers versions, and clears what has no meaning, so that equal worlds have equal bytes.
void canonicalise(World& world);
std::string encode(const World& world);
World decode(std::string_view bytes);

template <typename T>
void append_bytes(std::string& out, const T& value) {
  static_assert(std::has_unique_object_representations_v<T>);
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace model
