#include <chrono>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "crd/condition.hpp"
#include "reconcilers/removal_metrics.hpp"

namespace reconcilers {
namespace {

using prometheus::MetricFamily;
using Labels = std::vector<prometheus::ClientMetric::Label>;

MetricFamily family(std::string name, std::string help) {
  return {std::move(name), std::move(help), prometheus::MetricType::Gauge, {}};
}

void add(MetricFamily& to, Labels labels, double value) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  to.metric.push_back(std::move(metric));
}

void add(MetricFamily& to, Labels labels, std::int64_t value) {
  add(to, std::move(labels), static_cast<double>(value));
}

double timestamp(crd::TimePoint time) {
  return std::chrono::duration<double>(time.time_since_epoch()).count();
}

/// Of one removal.
Labels labels_of(const ActiveRemoval& removal, std::initializer_list<Labels::value_type> more) {
  Labels labels{{"noderemoval", removal.name}, {"target", removal.node}};
  labels.insert(labels.end(), more);
  return labels;
}

void add_aggregates(const RemovalSeries& series, std::vector<MetricFamily>& out) {
  auto& removals = out.emplace_back(
      family("noderemoval_removals", "NodeRemovals by status and reason of their summary."));
  for (const auto& [summary, count] : series.removals) {
    add(removals,
        {{"succeeded", std::string{to_string(summary.succeeded)}}, {"reason", summary.reason}},
        count);
  }
  auto& blocked = out.emplace_back(
      family("noderemoval_blocked_pods", "Pods that hold up active removals, by reason."));
  for (const auto& [reason, count] : series.blocked_pods) {
    add(blocked, {{"reason", reason}}, count);
  }
  auto& owed = out.emplace_back(
      family("noderemoval_decisions_owed", "Active removals that wait for a human's decision."));
  for (const auto& [decision, count] : series.decisions_owed) {
    add(owed, {{"decision", decision}}, count);
  }
  const auto add_one = [&](std::string name, std::string help, double value) {
    add(out.emplace_back(family(std::move(name), std::move(help))), {}, value);
  };
  add_one("noderemoval_oldest_blocked_age_seconds",
          "For how long the pod that has held up an active removal longest has done so; 0 when "
          "there is none.",
          std::chrono::duration<double>(series.oldest_blocked_age).count());
  add_one("noderemoval_brake_engaged",
          "1 while a removal waits because too many nodes are NotReady.",
          series.brake_engaged ? 1 : 0);
  add_one("noderemoval_active_not_exported",
          "Active removals that have no series of their own because there are too many.",
          static_cast<double>(series.not_exported));
  auto& budget = out.emplace_back(
      family("noderemoval_budget_nodes",
             "Removals that are under way, and --max-concurrent-removals (0: no limit)."));
  add(budget, {{"kind", "used"}}, series.nodes_under_way);
  add(budget, {{"kind", "max"}}, series.max_nodes);
}

void add_active(const RemovalSeries& series, std::vector<MetricFamily>& out) {
  auto steps = family("noderemoval_active_step_start_timestamp_seconds",
                      "When the step began at which an active removal is.");
  auto pods = family("noderemoval_active_pods", "Pods of the node of an active removal.");
  auto blocked = family("noderemoval_active_blocked_since_timestamp_seconds",
                        "Since when a pod has held up an active removal for this reason.");
  auto decisions = family("noderemoval_active_needs_decision",
                          "1 while an active removal waits for a human's decision.");
  for (const auto& removal : series.active) {
    add(steps, labels_of(removal, {{"step", removal.step}, {"path", std::string{removal.path}}}),
        timestamp(removal.step_began));
    if (removal.pods) {
      const auto& counts = *removal.pods;
      add(pods, labels_of(removal, {{"state", "remaining"}}), counts.remaining);
      add(pods, labels_of(removal, {{"state", "terminating"}}), counts.terminating);
      add(pods, labels_of(removal, {{"state", "blocked"}}), counts.blocked);
      add(pods, labels_of(removal, {{"state", "skipped"}}), counts.skipped);
    }
    for (const auto& [reason, since] : removal.blocked_since) {
      add(blocked, labels_of(removal, {{"reason", reason}}), timestamp(since));
    }
    for (const auto& decision : removal.decisions) {
      add(decisions, labels_of(removal, {{"decision", decision}}), 1.0);
    }
  }
  for (auto* one : {&steps, &pods, &blocked, &decisions}) out.push_back(std::move(*one));
}

}  // namespace

std::vector<MetricFamily> gauges_of(const RemovalSeries& series) {
  std::vector<MetricFamily> out;
  add_aggregates(series, out);
  add_active(series, out);
  return out;
}

}  // namespace reconcilers
