#include "test/model/steps.hpp"

#include <algorithm>
#include <utility>

#include "test/model/api_server.hpp"
#include "test/model/invariants.hpp"
#include "test/model/machine.hpp"
#include "test/model/words.hpp"

namespace model {
namespace {

namespace condition = crd::condition;

bool is_read(Verb verb) {
  return verb == Verb::GetRemoval || verb == Verb::GetNode || verb == Verb::ListNodes ||
         verb == Verb::ListPods;
}

/// Takes one from the budget; false when there is none.
bool take(Byte& budget) {
  if (budget == 0) return false;
  --budget;
  return true;
}

void remember(Process& process, const Answer& answer) {
  process.answers.at(process.answered) = answer;
  ++process.answered;
}

/// As the watch and our own writes together show it: the newer one counts.
template <typename Object>
void take_newer(Object& view, const Object& object) {
  if (object.version > view.version) view = object;
}

void forget_gone_pods(Process& process) {
  Byte there = 0;
  for (std::size_t i = 0; i < kPods; ++i) {
    if (process.pods[i].on_node()) there = static_cast<Byte>(there | 1U << i);
  }
  for (auto* bits : {&process.told, &process.cleared, &process.refused, &process.pausing}) {
    *bits &= there;
  }
}

void age(Byte& ticks) { ticks = std::min<Byte>(static_cast<Byte>(ticks + 1), kMaxAge); }
void age(NodeState& node) {
  if (node.exists()) age(node.ready_age);
}
void age(Pods& pods) {
  for (auto& pod : pods) {
    if (pod.phase == PodPhase::Terminating) age(pod.age);
  }
}

Process restarted(const World& world, const Process& before) {
  Process process;
  process.alive = true;
  process.removal = world.removal;
  process.node.version = 0;  // no watch yet, so it is read
  process.pods = before.pods;
  return process;
}

}  // namespace

std::string Steps::name(std::size_t which) const {
  return scenario_.leaders > 1 ? "operator " + std::to_string(which + 1) : "operator";
}

std::string Steps::words_of(const crd::NodeRemovalStatus& status) const {
  const auto* summary = status.conditions.find(condition::kSucceeded);
  return summary == nullptr ? "nothing"
                            : std::string{to_string(summary->status)} + "/" + summary->reason;
}

void Steps::advance(Process& process) {
  if (process.actions == 0) return;
  const auto& progress = operator_.progress(process);
  if (progress.request) return;
  const auto& memory = progress.memory;
  process.told = memory.told;
  process.cleared = memory.cleared;
  process.refused = memory.refused;
  process.pausing = static_cast<Byte>((process.pausing | memory.pausing) & memory.refused);
  process.gate_refused = memory.gate_refused;
  process.failed = memory.failed;
  process.knows_gone = memory.knows_gone;
  for (std::size_t i = 0; i < process.answered; ++i) {
    const auto& answer = process.answers[i];
    const bool same = answer.node.generation == process.node.generation;
    if (answer.node.exists() && answer.node.version == memory.node_version && same) {
      take_newer(process.node, answer.node);
    }
    if (answer.removal.exists && answer.removal.version == memory.removal_version) {
      take_newer(process.removal, answer.removal);
    }
  }
  process.actions = 0;
  process.answered = 0;
}

void Steps::deliver(const World& world, std::size_t which, Out& out) {
  const auto add = [&](auto Process::* view, const auto& truth, std::string_view what) {
    if (world.processes[which].*view == truth) return;
    Successor next{name(which) + ": its watch shows " + std::string{what}, world, std::nullopt};
    next.world.processes[which].*view = truth;
    out.push_back(std::move(next));
  };
  if (scenario_.watches_together) {
    Successor next{name(which) + ": its watches show what is new", world, std::nullopt};
    auto& process = next.world.processes[which];
    process.removal = world.removal;
    process.node = world.node;
    process.pods = world.pods;
    if (encode(next.world) != encode(world)) out.push_back(std::move(next));
    return;
  }
  add(&Process::removal, world.removal, "the noderemoval");
  add(&Process::node, world.node, "the node");
  add(&Process::pods, world.pods, "the pods");
}

void Steps::decide(const World& world, std::size_t which, Out& out) {
  auto seen = world.processes[which];
  const auto& before = statuses_.at(seen.removal.status);
  const bool finished = before.is_terminal() && !seen.removal.finalizer;
  const bool nothing_to_undo = seen.removal.deleting && !seen.removal.finalizer;
  if (!seen.removal.exists || finished || nothing_to_undo) return;
  forget_gone_pods(seen);
  // What no watch shows, or only one that is behind, is read.
  if (!seen.node.exists() || (seen.node.generation == 1 && seen.knows_gone)) seen.node = world.node;
  const auto verdict = operator_.decide(world, seen);
  carry_out(world, which, seen, verdict, out);
  if (!scenario_.cleans_host() || world.budget.lost_reply == 0) return;
  const auto without_pod = operator_.decide(world, seen, false);
  if (without_pod == verdict) return;
  auto unread = world;
  take(unread.budget.lost_reply);
  carry_out(unread, which, seen, without_pod, out);
  if (!out.empty()) out.back().label += " (GET of the hand-over pod -> no answer)";
}

void Steps::carry_out(const World& world, std::size_t which, Process seen, Verdict verdict,
                      Out& out) {
  if (verdict.read_node) seen.node = world.node;
  Successor next{name(which) + " decides", world, std::nullopt};
  auto& process = next.world.processes[which];
  process = seen;
  if (verdict.status != seen.removal.status) {
    next.label += " and writes " + words_of(statuses_.at(verdict.status));
    auto& removal = next.world.removal;
    if (!removal.exists || removal.version != seen.removal.version) {
      next.label += ": 409";
      process.removal = removal;
      out.push_back(std::move(next));
      return;
    }
    next.broken =
        broken_by_status(world, statuses_.at(removal.status), statuses_.at(verdict.status));
    removal.status = verdict.status;
    ++removal.version;
    if (world.budget.lost_reply > 0) {
      auto lost = next;
      take(lost.world.budget.lost_reply);
      lost.label += ", reply lost";
      out.push_back(std::move(lost));
    }
    process.removal = removal;
  }
  process.actions = verdict.actions;
  for (const auto& action : operator_.actions(verdict.actions)) {
    next.label += (&action == operator_.actions(verdict.actions).data() ? ": " : ", ");
    next.label += action_name(action);
  }
  advance(process);
  if (encode(next.world) != encode(world)) out.push_back(std::move(next));
}

void Steps::send(const World& world, std::size_t which, Out& out) {
  const auto& process = world.processes[which];
  const auto& request = *operator_.progress(process).request;
  const auto label = name(which) + ": " + model::words_of(request);
  auto broken = broken_by(world, process, request, scenario_, statuses_);
  Successor done{label, world, broken};
  const auto answer = serve(done.world, request);
  done.label += " -> " + std::string{model::words_of(answer.fault)};
  if (world.budget.lost_reply > 0) {
    Successor lost{label + " -> reply lost", done.world, broken};
    take(lost.world.budget.lost_reply);
    auto& loser = lost.world.processes[which];
    Answer none{
        .removal = {}, .node = {}, .pods = {}, .verb = request.verb, .fault = Fault::Unknown};
    if (is_read(request.verb)) lost.label = label + " -> no answer";
    remember(loser, none);
    advance(loser);
    out.push_back(std::move(lost));
  }
  remember(done.world.processes[which], answer);
  advance(done.world.processes[which]);
  out.push_back(std::move(done));
}

void Steps::of_process(const World& world, std::size_t which, Out& out) {
  const auto& process = world.processes[which];
  if (!process.alive) return;
  if (world.budget.crash > 0) {
    Successor crash{name(which) + " crashes and starts again", world, std::nullopt};
    take(crash.world.budget.crash);
    crash.world.processes[which] = restarted(world, process);
    out.push_back(std::move(crash));
  }
  if (process.actions != 0) return send(world, which, out);
  deliver(world, which, out);
  decide(world, which, out);
}

void Steps::of_others(const World& world, Out& out) {
  const auto add = [&](std::string label, auto change) {
    Successor next{std::move(label), world, std::nullopt};
    change(next.world);
    out.push_back(std::move(next));
  };
  for (std::size_t i = 0; i < kPods; ++i) {
    const auto& pod = world.pods[i];
    const auto kind = scenario_.kinds[i];
    const auto its_name = pod_name(i);
    const bool kubelet = kubelet_works(world) && pod.phase == PodPhase::Terminating;
    const bool orphaned = world.node.generation != 1 && pod.on_node();
    if (kubelet) add("the kubelet: " + its_name + " is gone", [=](World& w) { w.pods[i] = {}; });
    if (orphaned && !kubelet) {
      add("PodGC: " + its_name + " is gone", [=](World& w) { w.pods[i] = {}; });
    }
    if (pod.phase == PodPhase::Unbound) {
      if (world.node.exists() && world.closed_for == 0) {
        add("the scheduler binds " + its_name,
            [=](World& w) { w.pods[i].phase = PodPhase::Running; });
      }
    }
    const bool stateful = kind == PodKind::Stateful;
    const bool elsewhere = pod.phase == PodPhase::Unbound && world.closed_for > 0;
    const bool may_start = pod.phase == PodPhase::Gone || elsewhere ||
                           (kind == PodKind::Replicated && pod.phase == PodPhase::Terminating);
    if ((stateful || kind == PodKind::Replicated) && may_start && !world.replaced[i]) {
      add(its_name + " is ready on another node", [=](World& w) { w.replaced[i] = true; });
    }
    if (stateful && world.attached && pod.phase == PodPhase::Gone) {
      add("the volume is detached", [](World& w) { w.attached = false; });
    }
  }
  for (const auto& step : steps_of_cleaning(world)) add(std::string{step.label}, step.change);
  if (world.outage) add("the other nodes are Ready again", [](World& w) { w.outage = false; });
  if (world.budget_blocks)
    add("the budget lets pods go", [](World& w) { w.budget_blocks = false; });
  add("a tick", [this](World& w) { tick(w); });
  if (encode(out.back().world) == encode(world)) out.pop_back();
}

void Steps::tick(World& world) {
  const auto age_removal = [this](RemovalState& removal) {
    removal.status = statuses_.a_tick_later(removal.status);
  };
  age(world.node);
  age(world.pods);
  age_removal(world.removal);
  if (!world.node.takes_pods()) age(world.closed_for);
  for (auto& process : world.processes) {
    age(process.node);
    age(process.pods);
    age_removal(process.removal);
    process.told = process.cleared = process.pausing = 0;
    for (std::size_t i = 0; i < process.answered; ++i) {
      age(process.answers[i].node);
      age(process.answers[i].pods);
      age_removal(process.answers[i].removal);
    }
    advance(process);  // the gate may find now that it is too late
  }
}

std::vector<Successor> Steps::successors(const World& world) {
  Out out;
  for (std::size_t i = 0; i < kProcesses; ++i) of_process(world, i, out);
  of_others(world, out);
  of_humans(world, out);
  for (auto& next : out) canonicalise(next.world);
  return out;
}

std::optional<Successor> Steps::first_move(const World& world, std::size_t which) {
  auto calm = world;
  calm.budget = {};
  Out out;
  if (calm.processes[which].actions == 0) {
    deliver(calm, which, out);
    if (out.empty()) decide(calm, which, out);
  } else {
    send(calm, which, out);
  }
  if (out.empty()) return std::nullopt;
  auto first = std::move(out.front());
  first.world.budget = world.budget;
  return first;
}

World Steps::world_at(std::string_view reason) {
  auto world = first_world(scenario_);
  const auto reached = [&] {
    const auto* summary = statuses_.at(world.removal.status).conditions.find(condition::kSucceeded);
    return summary != nullptr && summary->reason == reason;
  };
  while (!reached()) {
    auto next = first_move(world, 0);
    if (!next) {
      Out out;
      of_others(world, out);  // the last one is the tick
      next = out.at(0);
    }
    world = next->world;
    canonicalise(world);
  }
  for (auto& process : world.processes) {
    if (&process != world.processes.data() && process.alive) {
      process.removal = world.removal;
      process.node = world.node;
      process.pods = world.pods;
    }
  }
  canonicalise(world);
  return world;
}

bool Steps::fair_round(World& world, std::vector<std::string>& trace) {
  const auto go = [&](Successor next) {
    trace.push_back(std::move(next.label));
    if (next.broken) trace.push_back(*next.broken);
    world = next.world;
    canonicalise(world);
    return !next.broken;
  };
  for (std::size_t which = 0; which < kProcesses; ++which) {
    if (!world.processes[which].alive) continue;
    // What is refused again and again is asked for again only after a while.
    constexpr int kMovesOfARound = 40;
    for (int moves = 0; moves < kMovesOfARound; ++moves) {
      auto next = first_move(world, which);
      if (!next) break;
      if (!go(*std::move(next))) return false;
    }
    while (world.processes[which].actions != 0) {
      if (!go(*first_move(world, which))) return false;
    }
  }
  for (;;) {
    Out out;
    of_others(world, out);
    const auto next = std::ranges::find_if(out, [](const auto& s) { return s.label != "a tick"; });
    if (next == out.end()) break;
    go(*next);
  }
  tick(world);
  trace.emplace_back("a tick");
  canonicalise(world);
  return true;
}

}  // namespace model
