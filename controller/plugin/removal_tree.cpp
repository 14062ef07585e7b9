#include "controller/plugin/removal_tree.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "controller/plugin/duration.hpp"
#include "controller/plugin/removal_words.hpp"
#include "controller/plugin/text.hpp"
#include "reconcilers/messages.hpp"

namespace plugin {
namespace {

using crd::ConditionStatus;
namespace condition = crd::condition;

constexpr std::array kSteps{condition::kAccepted,     condition::kCordoned,
                            condition::kDrained,      condition::kTerminatingPodsCleared,
                            condition::kPodsMigrated, condition::kVolumesDetached,
                            condition::kHostCleaned,  condition::kNodeDeleted,
                            condition::kLeftoversGone};
constexpr std::size_t kStepWidth = 22;  // of the longest
constexpr std::size_t kAgeWidth = 6;
constexpr std::size_t kBarWidth = 20;

enum class Mark { Done, Running, NotReached, Blocked, Failed };

Span mark(Mark mark, const Look& look) {
  const auto text = [&](const char* utf8, const char* ascii) { return look.utf8 ? utf8 : ascii; };
  switch (mark) {
    case Mark::Done:
      return {text("✔ ", "+ "), Color::Good};
    case Mark::Running:
      return {text("◌ ", "~ "), Color::Plain};
    case Mark::Blocked:
      return {"! ", Color::Warning};
    case Mark::Failed:
      return {text("✘ ", "x "), Color::Bad};
    case Mark::NotReached:
      break;
  }
  return {text("· ", ". "), Color::Dim};
}

/// Text of a line below a node of the tree, and what hangs below that.
struct Branch {
  Line line;
  std::vector<Branch> children;
  bool active = true;  ///< under way or failed: is left out last
};

void append(std::vector<Line>& out, const std::vector<Branch>& branches, const std::string& indent,
            const Look& look) {
  for (std::size_t i = 0; i < branches.size(); ++i) {
    const bool last = i + 1 == branches.size();
    const std::string fork = look.utf8 ? (last ? "└─ " : "├─ ") : (last ? "`- " : "|- ");
    const std::string below = last ? "   " : (look.utf8 ? "│  " : "|  ");
    Line line{{indent + fork, Color::Dim}};
    line.insert(line.end(), branches[i].line.begin(), branches[i].line.end());
    out.push_back(std::move(line));
    append(out, branches[i].children, indent + below, look);
  }
}

Branch more(std::int64_t number) {
  return {.line = {{"+" + std::to_string(number) + " more", Color::Dim}}, .children = {}};
}

class Tree {
 public:
  Tree(const crd::NodeRemoval& removal, crd::TimePoint now, const Look& look)
      : removal_(removal), status_(removal.status), now_(now), look_(look) {}

  /// At most `details` lines below each step; `active_only`: steps that are done, or not reached
  /// yet, are left out.
  std::vector<Line> lines(std::size_t details, bool active_only) const {
    std::vector<Line> out{header()};
    if (status_.pods) out.push_back(progress());
    if (status_.evidence) out.push_back(evidence());
    auto branches = removal_.is_group() ? nodes(details) : steps(details);
    if (active_only) std::erase_if(branches, [](const Branch& each) { return !each.active; });
    append(out, branches, "", look_);
    const auto next = next_step(removal_);
    const std::string title = status_.is_terminal() ? "End: " : "Next: ";
    // Of a broken line each part stands under the first.
    const auto room = look_.width > 2 * title.size() ? look_.width - title.size() : next.size();
    bool first = true;
    for (auto& text : wrap(next, room)) {
      out.push_back({{first ? title : std::string(title.size(), ' '), Color::Bold},
                     {std::move(text), Color::Plain}});
      first = false;
    }
    return out;
  }

 private:
  Line header() const {
    const auto* summary = status_.conditions.find(condition::kSucceeded);
    const bool ended = status_.is_terminal();
    const bool well = summary != nullptr && summary->status == ConditionStatus::True;
    const bool waits = !status_.blockers.empty();
    Line line{{clean(removal_.meta.name), Color::Bold}, {"  "}};
    line.push_back({status_word(removal_), ended   ? (well ? Color::Good : Color::Bad)
                                           : waits ? Color::Warning
                                                   : Color::Plain});
    const auto node = node_word(removal_);
    if (node != clean(removal_.meta.name)) {
      line.push_back({removal_.is_group() ? "  " + node : "  node " + node});
    }
    if (!status_.node_uid.empty()) line.push_back({"  uid " + clean(status_.node_uid), Color::Dim});
    if (removal_.spec.dry_run) line.push_back({"  dry run"});
    if (removal_.meta.creation_timestamp) {
      line.push_back({"  " + age(*removal_.meta.creation_timestamp, now_), Color::Dim});
    }
    return line;
  }

  Line progress() const {
    const auto& pods = *status_.pods;
    const auto total = std::max<std::int64_t>(pods.total, 0);
    const auto gone = std::clamp<std::int64_t>(pods.evicted, 0, total);
    const auto filled =
        total == 0 ? kBarWidth
                   : kBarWidth * static_cast<std::size_t>(gone) / static_cast<std::size_t>(total);
    Line line{{"[" + std::string(filled, '#'), Color::Good},
              {std::string(kBarWidth - filled, '-') + "]", Color::Dim},
              {" " + std::to_string(pods.evicted) + " of " +
               reconcilers::count_of(static_cast<std::size_t>(total), "pod") + " gone"}};
    const auto count = [&](std::int64_t number, const char* what, Color color) {
      if (number > 0) line.push_back({", " + std::to_string(number) + " " + what, color});
    };
    count(pods.terminating, "terminating", Color::Plain);
    count(pods.blocked, "blocked", Color::Warning);
    count(pods.skipped, "stay", Color::Dim);
    return line;
  }

  Line evidence() const {
    const auto& found = *status_.evidence;
    auto text = "Node is not Ready since " + age(found.not_ready_since, now_);
    if (!found.reason.empty()) text += " (" + clean(found.reason) + ")";
    text += found.fenced ? "; said to be off by " + clean(found.fenced_by)
                         : "; nobody has said that it is off";
    return {{text, Color::Warning}};
  }

  std::vector<Branch> steps(std::size_t details) const {
    std::vector<Branch> out;
    for (const auto type : kSteps) {
      const auto* found = status_.conditions.find(type);
      if (found == nullptr && !is_expected(type)) continue;
      out.push_back(step(type, found, details));
    }
    return out;
  }

  /// Whether the step, which has no condition, is still to come.
  bool is_expected(std::string_view type) const {
    if (status_.is_terminal() || removal_.spec.dry_run || removal_.is_being_deleted()) return false;
    if (type == condition::kTerminatingPodsCleared) return false;
    if (type == condition::kHostCleaned) return removal_.spec.host_cleanup.enabled;
    const bool at_end = type == condition::kNodeDeleted || type == condition::kLeftoversGone;
    return removal_.spec.delete_node || !at_end;
  }

  Branch step(std::string_view type, const crd::Condition* found, std::size_t details) const {
    const bool blocked = type == blocked_step();
    Branch branch{.line = {}, .children = {}, .active = blocked};
    if (found == nullptr && !blocked) {
      branch.line = {mark(Mark::NotReached, look_), {std::string{type}, Color::Dim}};
      return branch;
    }
    const auto status = found == nullptr ? ConditionStatus::Unknown : found->status;
    const bool waits = status == ConditionStatus::Unknown && !status_.is_terminal();
    branch.active = status != ConditionStatus::True;
    branch.line = {mark(status == ConditionStatus::True ? Mark::Done
                        : !waits                        ? Mark::Failed
                        : blocked                       ? Mark::Blocked
                                                        : Mark::Running,
                        look_),
                   {pad(std::string{type}, kStepWidth) + " ", Color::Plain}};
    if (found != nullptr) {
      branch.line.push_back(
          {pad(age(found->last_transition_time, now_), kAgeWidth) + " ", Color::Dim});
      if (status != ConditionStatus::True) {
        branch.line.push_back(
            {clean(found->reason), blocked || !waits ? Color::Warning : Color::Plain});
      }
      // Blockers say the same, each on its line.
      if (!blocked && !found->message.empty()) {
        branch.line.push_back(
            {(status == ConditionStatus::True ? "" : ": ") + clean(found->message), Color::Dim});
      }
    }
    if (blocked) branch.children = blockers(details);
    if (type == condition::kPodsMigrated && branch.active) branch.children = workloads(details);
    return branch;
  }

  /// Where the blockers hang; empty when there are none.
  std::string_view blocked_step() const {
    if (status_.blockers.empty()) return {};
    const auto& conditions = status_.conditions;
    const auto* cleared = conditions.find(condition::kTerminatingPodsCleared);
    if (cleared != nullptr && cleared->status != ConditionStatus::True) return cleared->type;
    return conditions.is_true(condition::kDrained) ? condition::kNodeDeleted : condition::kDrained;
  }

  std::vector<Branch> blockers(std::size_t details) const {
    std::vector<Branch> out;
    const auto shown = std::min(status_.blockers.size(), details);
    for (std::size_t i = 0; i < shown; ++i) {
      const auto& blocker = status_.blockers[i];
      const bool says_reason = blocker.message.starts_with(blocker.reason);
      out.push_back({.line = {mark(Mark::Blocked, look_),
                              {clean(blocker.pod), Color::Warning},
                              {"  " + age(blocker.since, now_) + "  ", Color::Dim},
                              {says_reason ? "" : clean(blocker.reason) + ": ", Color::Warning},
                              {clean(blocker.message), Color::Plain}},
                     .children = {}});
    }
    const auto rest =
        static_cast<std::int64_t>(status_.blockers.size() - shown) + status_.blockers_omitted;
    if (rest > 0) out.push_back(more(rest));
    return out;
  }

  std::vector<Branch> workloads(std::size_t details) const {
    std::vector<Branch> out;
    std::int64_t rest = status_.workloads_omitted;
    for (const auto& workload : status_.workloads) {
      if (workload.ready >= workload.desired) continue;
      if (out.size() >= details) {
        ++rest;
        continue;
      }
      out.push_back({.line = {mark(Mark::Running, look_),
                              {clean(workload.kind + " " + workload.ns + "/" + workload.name)},
                              {"  " + std::to_string(workload.ready) + " of " +
                               std::to_string(workload.desired) + " ready on other nodes"}},
                     .children = {}});
    }
    if (rest > 0) out.push_back(more(rest));
    return out;
  }

  std::vector<Branch> nodes(std::size_t details) const {
    constexpr std::array kEndedWell{"NodeRemoved", "NodeAbsent", "AlreadyReplaced", "Drained",
                                    "Planned"};
    std::vector<Branch> out;
    const auto shown = std::min(status_.nodes.size(), details);
    for (std::size_t i = 0; i < shown; ++i) {
      const auto& node = status_.nodes[i];
      const bool done = std::ranges::find(kEndedWell, node.reason) != kEndedWell.end();
      const auto kind = done ? Mark::Done : node.reason.empty() ? Mark::NotReached : Mark::Running;
      out.push_back({.line = {mark(kind, look_), {clean(node.name)}, {"  " + clean(node.reason)}},
                     .children = {},
                     .active = !done && !node.reason.empty()});
    }
    const auto rest = static_cast<std::int64_t>(status_.nodes.size() - shown);
    if (rest > 0) out.push_back(more(rest));
    return out;
  }

  const crd::NodeRemoval& removal_;
  const crd::NodeRemovalStatus& status_;
  crd::TimePoint now_;
  const Look& look_;
};

}  // namespace

std::vector<Line> removal_tree(const crd::NodeRemoval& removal, crd::TimePoint now,
                               const Look& look, std::size_t max_lines) {
  const Tree tree{removal, now, look};
  auto lines = tree.lines(crd::kMaxNodes, false);
  if (max_lines == 0 || lines.size() <= max_lines) return lines;
  for (const bool active_only : {false, true}) {
    for (std::size_t details = std::min(max_lines, crd::kMaxNodes); details > 0; --details) {
      lines = tree.lines(details, active_only);
      if (lines.size() <= max_lines) return lines;
    }
  }
  lines.resize(max_lines);
  return lines;
}

}  // namespace plugin
