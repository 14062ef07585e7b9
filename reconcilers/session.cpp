#include "reconcilers/session.hpp"

#include <algorithm>

#include "reconcilers/events.hpp"

namespace reconcilers {

std::unique_ptr<Session> begin_session(const crd::NodeRemoval& removal) {
  auto session = std::make_unique<Session>(removal.meta.uid);
  session->progress.emplace(removal);
  auto untold = removal;
  untold.status = {};
  session->event_limiter.assume_told(events_between(untold, removal.status),
                                     std::chrono::steady_clock::now());
  return session;
}

const crd::NodeRemoval& after_writes(const crd::NodeRemoval& removal, const Session& session) {
  const auto& latest = session.latest;
  const bool newer =
      latest && latest->meta.uid == removal.meta.uid && crd::is_newer(latest->meta, removal.meta);
  return newer ? *latest : removal;
}

void forget_node_before_last_list(Session& session) {
  const auto lists = session.view ? session.view->nodes.lists() : 0;
  const auto before = std::exchange(session.node_lists, lists);
  if (before == 0 || before == lists) return;
  session.latest_node.reset();
  session.gone_node_uid.clear();
}

void forget_gone_pods(Session& session, const std::vector<crd::Pod>& pods) {
  const auto gone = [&](const auto& entry) {
    return std::ranges::find(pods, entry.first, [](const crd::Pod& pod) { return pod.meta.uid; }) ==
           pods.end();
  };
  std::erase_if(session.refusals, gone);
  std::erase_if(session.attempts, gone);
  std::erase_if(session.accepted, gone);
  std::erase_if(session.cleared, gone);
}

}  // namespace reconcilers
