#include "reconcilers/events.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "reconcilers/messages.hpp"

namespace reconcilers {
namespace {

using crd::ConditionStatus;
namespace condition = crd::condition;

/// Reasons of a removal in progress that it does not get out of by itself.
constexpr std::array kNeedAttention{"Blocked",
                                    "ClaimedByOther",
                                    "DrainBlocked",
                                    "LastControlPlaneNode",
                                    "LastSchedulableNode",
                                    "NeedsFencing",
                                    "NodeRejoined",
                                    "NodeProtected",
                                    "PodsLeftOut",
                                    "SpecChanged",
                                    "Uncordoned",
                                    "TooManyNodesNotReady"};

bool needs_attention(std::string_view reason) {
  return std::ranges::find(kNeedAttention, reason) != kNeedAttention.end();
}

}  // namespace

std::vector<EventNote> events_between(const crd::NodeRemoval& before,
                                      const crd::NodeRemovalStatus& after) {
  const auto* now = after.conditions.find(condition::kSucceeded);
  const auto* then = before.status.conditions.find(condition::kSucceeded);
  if (now == nullptr || before.status.is_terminal()) return {};
  if (!after.is_terminal()) {
    const bool news = then == nullptr || then->reason != now->reason;
    if (!news || !needs_attention(now->reason)) return {};
    return {{.warning = true, .reason = now->reason, .note = now->message}};
  }
  std::vector<EventNote> events{{.warning = now->status == ConditionStatus::False,
                                 .reason = now->reason,
                                 .note = now->message}};
  if (before.ignores_ttl()) {
    events.push_back({.warning = true, .reason = "TTLIgnored", .note = std::string{kTtlIgnored}});
  }
  return events;
}

}  // namespace reconcilers
