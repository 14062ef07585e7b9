#include "controller/plugin/removal_table.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "controller/plugin/duration.hpp"
#include "controller/plugin/removal_words.hpp"
#include "controller/plugin/text.hpp"

namespace plugin {
namespace {

constexpr std::size_t kStatusColumn = 2;
constexpr std::size_t kBlockersColumn = 4;

/// "shop/db-0 (PodDisruptionBudget) +2"
std::string blocked_by(const crd::NodeRemovalStatus& status) {
  if (status.blockers.empty()) return {};
  const auto& first = status.blockers.front();
  auto text = clean(first.pod + " (" + first.reason + ")");
  const auto more = static_cast<std::int64_t>(status.blockers.size()) - 1 + status.blockers_omitted;
  return more > 0 ? text + " +" + std::to_string(more) : text;
}

std::vector<std::string> row(const crd::NodeRemoval& removal, crd::TimePoint now, bool wide) {
  const auto& status = removal.status;
  const auto& created = removal.meta.creation_timestamp;
  std::vector<std::string> cells{
      clean(removal.meta.name),
      node_word(removal),
      status_word(removal),
      pods_word(removal),
      blocked_by(status),
      status.blockers.empty() ? "" : age(status.blockers.front().since, now),
      created ? age(*created, now) : ""};
  if (wide) {
    cells.push_back(clean(status.node_uid));
    cells.push_back(next_step(removal));
  }
  return cells;
}

Color color_of(const crd::NodeRemoval& removal) {
  const auto& status = removal.status;
  if (!status.is_terminal()) return status.blockers.empty() ? Color::Plain : Color::Warning;
  return status.conditions.is_true(crd::condition::kSucceeded) ? Color::Good : Color::Bad;
}

}  // namespace

std::vector<Line> removal_table(const std::vector<crd::NodeRemoval>& removals, crd::TimePoint now,
                                bool wide) {
  std::vector<std::vector<std::string>> rows{
      {"NAME", "NODE", "STATUS", "PODS", "BLOCKED BY", "SINCE", "AGE"}};
  if (wide) rows.front().insert(rows.front().end(), {"NODE UID", "MESSAGE"});
  for (const auto& removal : removals) rows.push_back(row(removal, now, wide));
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& each : rows) {
    for (std::size_t i = 0; i < each.size(); ++i) widths[i] = std::max(widths[i], cells(each[i]));
  }
  std::vector<Line> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Line line;
    for (std::size_t column = 0; column < rows[i].size(); ++column) {
      auto color = Color::Plain;
      if (i > 0 && column == kStatusColumn) color = color_of(removals[i - 1]);
      if (i > 0 && column == kBlockersColumn) color = Color::Warning;
      line.push_back({pad(rows[i][column], widths[column]), color});
      line.push_back({"   "});
    }
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace plugin
