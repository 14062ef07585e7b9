#include "reconcilers/event_recorder.hpp"

#include <boost/json/object.hpp>
#include <utility>

#include "controller/log.hpp"
#include "reconcilers/resources.hpp"

namespace reconcilers {
namespace {

namespace bj = boost::json;

constexpr std::string_view kComponent = "noderemoval";
/// Bound of the API.
constexpr std::size_t kMaxInstance = 128;

bj::object event_object(const crd::ObjectMeta& removal, const EventNote& event,
                        const std::string& instance, crd::TimePoint time) {
  bj::object about{{"apiVersion", resources::kNodeRemovalApiVersion},
                   {"kind", resources::kNodeRemovals.kind},
                   {"name", removal.name},
                   {"uid", removal.uid}};
  bj::object metadata{{"generateName", "noderemoval-"}, {"namespace", "default"}};
  const auto now = crd::to_rfc3339(time);
  return {{"apiVersion", "v1"},
          {"kind", "Event"},
          {"metadata", std::move(metadata)},
          {"involvedObject", std::move(about)},
          {"type", event.warning ? "Warning" : "Normal"},
          {"reason", event.reason},
          {"message", crd::shortened(event.note)},
          {"firstTimestamp", now},
          {"lastTimestamp", now},
          {"count", 1},
          {"source", bj::object{{"component", kComponent}}},
          {"reportingComponent", kComponent},
          {"reportingInstance", instance.substr(0, kMaxInstance)}};
}

}  // namespace

controller::awaitable<void> post_event(controller::KubeClient& client, crd::ObjectMeta removal,
                                       EventNote event, std::string instance, crd::TimePoint time) {
  controller::CollectionRef collection{resources::kEvents, "default"};
  auto object = event_object(removal, event, instance, time);
  const auto answer = co_await client.create(std::move(collection), std::move(object));
  if (answer) co_return;
  controller::log(
      controller::LogLevel::Warning, "event not written",
      {{"removal", removal.name}, {"reason", event.reason}, {"error", answer.error().message}});
}

}  // namespace reconcilers
