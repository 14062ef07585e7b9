#include "reconcilers/event_recorder.hpp"

#include <algorithm>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "controller/api_status.hpp"
#include "controller/log.hpp"
#include "reconcilers/resources.hpp"

namespace reconcilers {
namespace {

namespace bj = boost::json;
using Clock = std::chrono::steady_clock;

constexpr std::string_view kController = "noderemoval.dev/controller";
constexpr std::string_view kNamespace = "default";
/// Bound of the API.
constexpr std::size_t kMaxInstance = 128;
/// Of all removals together.
constexpr double kEventsPerSecond = 10;
constexpr double kEventsAtOnce = 100;
constexpr std::size_t kMaxQueued = 500;
constexpr std::chrono::minutes kBetweenLogLines{1};

bj::object reference_to(const crd::NodeRemoval& removal) {
  return {{"apiVersion", crd::kApiVersion},
          {"kind", crd::kKind},
          {"name", removal.meta.name},
          {"uid", removal.meta.uid}};
}

/// Empty before the removal is bound to a node.
bj::object reference_to_node_of(const crd::NodeRemoval& removal, const std::string& uid) {
  if (uid.empty() || removal.spec.node_name.empty()) return {};
  return {{"apiVersion", "v1"},
          {"kind", resources::kNodes.kind},
          {"name", removal.spec.node_name},
          {"uid", uid}};
}

bj::object reference_to(const crd::PodRef& pod) {
  return {{"apiVersion", "v1"},
          {"kind", resources::kPods.kind},
          {"namespace", pod.ns},
          {"name", pod.name},
          {"uid", pod.uid}};
}

std::string micro_time(std::chrono::sys_time<std::chrono::microseconds> time) {
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto micros = std::to_string(1000 + (time - millis).count()).substr(1);
  return crd::to_rfc3339_micro(millis).replace(23, 3, micros);
}

/// Names that sort by time: kubectl shows Events of events.k8s.io/v1 in the order of their names.
bj::object metadata(std::chrono::sys_time<std::chrono::microseconds> time) {
  const auto prefix = "noderemoval." + std::to_string(time.time_since_epoch().count()) + "-";
  return {{"generateName", prefix}, {"namespace", kNamespace}};
}

std::string_view type_of(const EventNote& event) { return event.warning ? "Warning" : "Normal"; }

/// True when the server may take the same Event of the core API. The answer to a path that it does
/// not have is no proof of absence, but says 404.
bool may_be_core_only(const controller::KubeError& error) {
  return error.http_status == 404 || error.kind == controller::ErrorKind::Invalid;
}

}  // namespace

EventRecorder::EventRecorder(Dependencies dependencies)
    : deps_(std::move(dependencies)), pace_(kEventsPerSecond, kEventsAtOnce) {
  deps_.instance.resize(std::min(deps_.instance.size(), kMaxInstance));
}

void EventRecorder::record(const crd::NodeRemoval& removal, const std::vector<EventNote>& events,
                           EventLimiter& limiter, crd::TimePoint time) {
  for (const auto& event : events) {
    const auto verdict = limiter.judge(event, Clock::now());
    if (verdict == EventLimiter::Verdict::TooMany) drop(event.reason, "too many of one removal");
    if (verdict != EventLimiter::Verdict::Tell) continue;
    const auto self = reference_to(removal);
    const auto node = reference_to_node_of(removal, removal.status.node_uid);
    const auto pod = event.pod ? reference_to(*event.pod) : bj::object{};
    const auto stamp = stamp_of(time);
    if (event.on != EventNote::On::Node) enqueue({self, pod.empty() ? node : pod, event, stamp});
    if (event.on == EventNote::On::Removal || node.empty()) continue;
    Entry entry{node, pod.empty() ? self : pod, event, stamp};
    entry.event.note = "NodeRemoval " + removal.meta.name + ": " + event.note;
    enqueue(std::move(entry));
  }
}

/// What is told at the same moment keeps its order.
EventRecorder::Stamp EventRecorder::stamp_of(crd::TimePoint time) {
  const bool same_moment = std::chrono::floor<std::chrono::milliseconds>(last_stamp_) == time;
  last_stamp_ = same_moment ? last_stamp_ + std::chrono::microseconds{1} : Stamp{time};
  return last_stamp_;
}

void EventRecorder::enqueue(Entry entry) {
  if (queue_.size() >= kMaxQueued) return drop(entry.event.reason, "too many wait to be written");
  // The API takes up to 1 kB; a message of a kubelet may have several lines.
  entry.event.note = crd::shortened(controller::one_line(entry.event.note));
  queue_.push_back(std::move(entry));
  if (!std::exchange(writes_, true)) deps_.tasks.spawn(write_queued());
}

controller::awaitable<void> EventRecorder::write_queued() {
  boost::asio::steady_timer timer{deps_.executor};
  while (!queue_.empty()) {
    timer.expires_after(pace_.take(Clock::now()));
    co_await timer.async_wait(boost::asio::use_awaitable);
    auto entry = std::move(queue_.front());
    queue_.pop_front();
    co_await write(std::move(entry));
  }
  writes_ = false;
}

controller::awaitable<void> EventRecorder::write(Entry entry) {
  const controller::CollectionRef events{resources::kEvents, std::string{kNamespace}};
  const controller::CollectionRef core_events{resources::kCoreEvents, std::string{kNamespace}};
  controller::Result<bj::object> answer;
  if (!core_only_) answer = co_await deps_.client.create(events, event_of(entry));
  if (core_only_ || (!answer && may_be_core_only(answer.error()))) {
    answer = co_await deps_.client.create(core_events, core_event_of(entry));
    core_only_ = core_only_ || answer.has_value();
  }
  if (!answer) drop(entry.event.reason, answer.error().message);
}

bj::object EventRecorder::event_of(const Entry& entry) const {
  bj::object object{{"apiVersion", "events.k8s.io/v1"},   {"kind", resources::kEvents.kind},
                    {"metadata", metadata(entry.time)},   {"eventTime", micro_time(entry.time)},
                    {"reportingController", kController}, {"reportingInstance", deps_.instance},
                    {"type", type_of(entry.event)},       {"reason", entry.event.reason},
                    {"action", entry.event.action},       {"note", entry.event.note},
                    {"regarding", entry.regarding}};
  if (!entry.related.empty()) object["related"] = entry.related;
  return object;
}

/// Without eventTime: with it, servers of 1.20 check it as they check the other.
bj::object EventRecorder::core_event_of(const Entry& entry) const {
  const auto time = crd::to_rfc3339(std::chrono::floor<std::chrono::milliseconds>(entry.time));
  bj::object object{{"apiVersion", "v1"},
                    {"kind", resources::kCoreEvents.kind},
                    {"metadata", metadata(entry.time)},
                    {"firstTimestamp", time},
                    {"lastTimestamp", time},
                    {"count", 1},
                    {"source", bj::object{{"component", kController}}},
                    {"reportingComponent", kController},
                    {"reportingInstance", deps_.instance},
                    {"type", type_of(entry.event)},
                    {"reason", entry.event.reason},
                    {"action", entry.event.action},
                    {"message", entry.event.note},
                    {"involvedObject", entry.regarding}};
  if (!entry.related.empty()) object["related"] = entry.related;
  return object;
}

void EventRecorder::drop(const std::string& reason, const std::string& why) {
  deps_.metrics.event_dropped();
  ++not_logged_;
  const auto now = Clock::now();
  if (logged_at_ && now - *logged_at_ < kBetweenLogLines) return;
  logged_at_ = now;
  controller::log(controller::LogLevel::Warning, "event not written",
                  {{"reason", reason},
                   {"error", why},
                   {"lost", std::to_string(std::exchange(not_logged_, 0))}});
}

}  // namespace reconcilers
