#include "reconcilers/removal_metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <string>

#include "reconcilers/eviction_outcome.hpp"
#include "reconcilers/reasons.hpp"

namespace reconcilers {
namespace {

using Buckets = prometheus::Histogram::BucketBoundaries;
using prometheus::Counter;
using prometheus::Family;
using prometheus::Histogram;
using prometheus::Registry;

Buckets step_buckets() { return {1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400}; }

Buckets removal_buckets() {
  return {30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 28800, 86400};
}

Family<Counter>& counters(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
Family<Histogram>& histograms(Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

/// The counter with one label. It is made when it is not there yet.
Counter& with(Family<Counter>& family, const char* label, std::string_view value) {
  return family.Add({{label, std::string{value}}});
}

Counter& finished(Family<Counter>& family, std::string_view outcome, std::string_view reason) {
  return family.Add({{"outcome", std::string{outcome}}, {"reason", std::string{reason}}});
}

Histogram& step(Family<Histogram>& family, std::string_view type, std::string_view path) {
  return family.Add({{"step", std::string{type}}, {"path", std::string{path}}}, step_buckets());
}

Histogram& duration(Family<Histogram>& family, std::string_view path, std::string_view outcome) {
  return family.Add({{"path", std::string{path}}, {"outcome", std::string{outcome}}},
                    removal_buckets());
}

double seconds(std::chrono::milliseconds time) {
  return std::chrono::duration<double>(time).count();
}

}  // namespace

RemovalMetrics::RemovalMetrics(Registry& registry)
    : finished_(counters(registry, "noderemoval_removals_finished_total",
                         "Removals that reached an end.")),
      evictions_(counters(registry, "noderemoval_evictions_total",
                          "Evictions by the answer of the API server.")),
      pods_removed_(counters(registry, "noderemoval_pods_removed_total",
                             "Requests to remove a pod that the API server accepted.")),
      nodes_deleted_(counters(registry, "noderemoval_nodes_deleted_total",
                              "Nodes that are gone because a removal deleted them.")),
      decisions_(counters(registry, "noderemoval_dead_node_decisions_total",
                          "What was decided about nodes that are NotReady.")),
      withheld_(counters(registry, "noderemoval_requests_withheld_total",
                         "Requests that a last check did not let out.")),
      events_dropped_(counters(registry, "noderemoval_events_dropped_total",
                               "Events not written: too many, or refused by the API server.")
                          .Add({})),
      steps_(histograms(registry, "noderemoval_step_duration_seconds",
                        "How long the steps of a removal took that were done.")),
      durations_(histograms(registry, "noderemoval_removal_duration_seconds",
                            "How long removals took from their start to their end.")) {
  for (const auto reason : reasons::kSucceeded) finished(finished_, "Succeeded", reason);
  for (const auto reason : reasons::kFailed) finished(finished_, "Failed", reason);
  finished(finished_, "Cancelled", "Cancelled");
  for (const auto result : kEvictionResults) with(evictions_, "result", result);
  for (const auto method : {kEvicted, kDeleted, kForced}) with(pods_removed_, "method", method);
  for (const auto* decision : {"declared_dead", "recovered", "needs_fencing"}) {
    with(decisions_, "decision", decision);
  }
  for (const auto why : {kWithheldByGate, kWithheldUnreadable, kWithheldNotLeader}) {
    with(withheld_, "why", why);
  }
  for (const auto path : kPaths) {
    with(nodes_deleted_, "path", path);
    for (const auto type : kSteps) step(steps_, type, path);
    for (const auto* outcome : {"Succeeded", "Failed", "Cancelled"}) {
      duration(durations_, path, outcome);
    }
  }
}

void RemovalMetrics::count(const RemovalNews& news) {
  for (const auto& done : news.steps) {
    step(steps_, done.type, done.path).Observe(seconds(done.duration));
  }
  if (news.node_deleted) with(nodes_deleted_, "path", news.path).Increment();
  if (news.declared_dead) with(decisions_, "decision", "declared_dead").Increment();
  if (news.recovered) with(decisions_, "decision", "recovered").Increment();
  if (news.needs_fencing) with(decisions_, "decision", "needs_fencing").Increment();
  count(news.end);
}

void RemovalMetrics::count(const std::optional<RemovalNews::End>& end) {
  if (!end) return;
  finished(finished_, end->outcome, end->reason).Increment();
  if (end->duration) {
    duration(durations_, end->path, end->outcome).Observe(seconds(*end->duration));
  }
}

void RemovalMetrics::eviction_answered(std::string_view result) {
  with(evictions_, "result", result).Increment();
}

void RemovalMetrics::pod_removed(std::string_view method) {
  with(pods_removed_, "method", method).Increment();
}

void RemovalMetrics::withheld(std::string_view why, std::size_t requests) {
  with(withheld_, "why", why).Increment(static_cast<double>(requests));
}

void RemovalMetrics::event_dropped() { events_dropped_.Increment(); }

}  // namespace reconcilers
