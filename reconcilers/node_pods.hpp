#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crd/core_types.hpp"
#include "crd/node_removal.hpp"
#include "reconcilers/classify.hpp"
#include "reconcilers/round.hpp"

namespace reconcilers {

struct PodToRemove {
  crd::Pod pod;
  PodVerdict verdict;
};

/// The pods of the node, sorted into those that have to leave, those that the user leaves out, and
/// those that go with the node.
struct NodePods {
  std::vector<PodToRemove> leaving;
  std::vector<PodToRemove> left_out;
  std::size_t staying = 0;
};

NodePods sort_pods(const std::vector<crd::Pod>& pods, const crd::DrainSpec& drain,
                   std::optional<crd::TimePoint> cordoned_at);

/// Collects the blockers of a round and writes them to status: longest-waiting first, bounded, and
/// with the time since when each has been there for this reason.
class Blockers {
 public:
  void add(const crd::Pod& pod, std::string reason, std::string message, std::string pdb = {});
  bool empty() const { return found_.empty(); }
  bool has(std::string_view reason) const;
  std::size_t size() const { return found_.size(); }
  /// "default/web-1 (PodDisruptionBudget web: ...)" for at most three, then a count.
  std::string summary() const;
  void write(Round& round) const;

 private:
  std::vector<crd::Blocker> found_;
};

/// True while a request for this pod was accepted a moment ago or is not to be repeated yet;
/// refusals become blockers. Sees to it that we look again when the pause ends.
bool is_pausing(Round& round, const crd::Pod& pod,
                const std::map<std::string, crd::TimePoint>& sent, Blockers& blockers);

/// The removal stands still: its pods are not looked at, and the time does not count.
void stand_still(Round& round);

/// True for the reasons of refusals that only an eviction can meet.
bool is_budget_reason(std::string_view reason);

/// Writes status.pods. The total never shrinks, so that "12/30" means 12 of 30 are gone.
void write_counts(Round& round, const NodePods& pods, std::size_t blocked);

/// From when on a terminating pod should long have gone away.
crd::TimePoint overdue_at(const crd::Pod& pod, const Round& round);
/// What keeps it then.
std::string overdue_message(const crd::Pod& pod);

}  // namespace reconcilers
