#include "controller/plugin/plan_screen.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "controller/plugin/exit_code.hpp"
#include "controller/plugin/removal_words.hpp"
#include "controller/plugin/text.hpp"
#include "reconcilers/messages.hpp"

namespace plugin {
namespace {

constexpr std::array<std::string_view, 5> kActions{"Evict", "Delete", "Wait", "Keep", "Blocked"};
constexpr std::size_t kIndent = 17;  // of the pods, behind action and count

struct Group {
  std::string action;
  std::string reason;
  std::size_t order = 0;  ///< in which they came
  std::vector<std::string> pods;
};

/// In the order of kActions; what blocks stands last, where the eye is.
std::vector<Group> groups_of(const std::vector<crd::PlannedPod>& plan) {
  std::vector<Group> groups;
  for (const auto& pod : plan) {
    const auto same = std::ranges::find_if(groups, [&](const Group& each) {
      return each.action == pod.action && each.reason == pod.reason;
    });
    auto& group =
        same == groups.end()
            ? groups.emplace_back(Group{
                  .action = pod.action, .reason = pod.reason, .order = groups.size(), .pods = {}})
            : *same;
    group.pods.push_back(clean(pod.pod));
  }
  std::ranges::sort(groups, {}, [](const Group& each) {
    return std::pair{std::ranges::find(kActions, each.action) - kActions.begin(), each.order};
  });
  return groups;
}

void append(std::vector<Line>& out, const std::string& text, Color color, const Look& look) {
  const auto room = look.width > 2 * kIndent ? look.width - kIndent : text.size();
  for (auto& part : wrap(text, room)) {
    out.push_back({{std::string(kIndent, ' ')}, {std::move(part), color}});
  }
}

void append(std::vector<Line>& out, const Group& group, const Look& look) {
  const bool blocked = group.action == "Blocked";
  const auto color = blocked ? Color::Warning : Color::Plain;
  auto count = std::to_string(group.pods.size());
  count.insert(0, count.size() < 4 ? 4 - count.size() : 0, ' ');
  Line line{{"  " + pad(clean(group.action), 8) + count + "   ", color}};
  line.push_back({blocked
                      ? reconcilers::name_some(group.pods)
                      : pad(clean(group.reason), 18) + " " + reconcilers::name_some(group.pods)});
  out.push_back(std::move(line));
  if (blocked) append(out, clean(group.reason), Color::Dim, look);
}

Line result_of(const crd::NodeRemoval& removal) {
  const auto code = exit_code_of_plan(removal);
  if (code == ExitCode::Done) {
    return {{"Result: ", Color::Bold}, {"the removal would go through.", Color::Good}};
  }
  const auto blocked = std::ranges::count(removal.status.plan, "Blocked", &crd::PlannedPod::action);
  if (code == ExitCode::NeedsDecision && blocked > 0) {
    return {{"Result: ", Color::Bold},
            {reconcilers::count_of(static_cast<std::size_t>(blocked), "pod") +
                 " would hold it up, unless you act.",
             Color::Warning}};
  }
  if (code == ExitCode::NeedsDecision) {
    return {{"Result: ", Color::Bold}, {"it would not begin as it is.", Color::Warning}};
  }
  return {{"Result: ", Color::Bold}, {"there is nothing to remove.", Color::Bad}};
}

}  // namespace

std::vector<Line> plan_screen(const crd::NodeRemoval& removal, const Look& look) {
  const auto& status = removal.status;
  Line title{{"Plan for ", Color::Plain},
             {(removal.is_group() ? "" : "node ") + node_word(removal), Color::Bold}};
  if (!status.node_uid.empty()) title.push_back({"  uid " + clean(status.node_uid), Color::Dim});
  if (status.evidence) title.push_back({"  not Ready", Color::Warning});
  std::vector<Line> out{std::move(title)};
  for (const auto& group : groups_of(status.plan)) append(out, group, look);
  if (status.plan_omitted > 0) {
    out.push_back({{"  and " + std::to_string(status.plan_omitted) + " more pods"}});
  }
  for (const auto& node : status.nodes) out.push_back({{"  " + clean(node.name)}});
  out.push_back(result_of(removal));
  if (const auto* summary = status.conditions.find(crd::condition::kSucceeded)) {
    append(out, clean(summary->message), Color::Dim, look);
  }
  return out;
}

}  // namespace plugin
