#pragma once

#include <array>
#include <boost/json/object.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "crd/host_cleanup.hpp"
#include "crd/node_removal.hpp"
#include "crd/time.hpp"
#include "test/model/world.hpp"

/// The world in the words of the API.
namespace model {

/// It is always now; a tick makes everything older instead.
inline constexpr crd::TimePoint kNow{std::chrono::seconds{1'700'000'000}};
inline constexpr std::string_view kNodeName = "jetson";
inline constexpr std::string_view kRemovalUid = "removal-1";

crd::TimePoint time_of(int age_in_ticks);
std::string node_uid(Byte generation);
std::string pod_name(std::size_t pod);
std::string pod_uid(std::size_t pod);
inline constexpr std::string_view kHandOverUid = "hand-over-1";
/// nullopt: there is none.
std::optional<crd::HandOverPod> hand_over_pod_of(HandOver state);

/// Statuses by number. Texts for humans are left out and times are ages, so that there are finitely
/// many.
class Statuses {
 public:
  Statuses();
  std::uint16_t id_of(crd::NodeRemovalStatus status);
  const crd::NodeRemovalStatus& at(std::uint16_t id) const { return statuses_.at(id); }
  const boost::json::object& json_at(std::uint16_t id) const { return jsons_.at(id); }
  std::uint16_t a_tick_later(std::uint16_t id);

 private:
  std::vector<crd::NodeRemovalStatus> statuses_;
  std::vector<boost::json::object> jsons_;
  std::map<std::string, std::uint16_t> ids_;
  std::map<std::uint16_t, std::uint16_t> later_;
};

using PodKinds = std::array<PodKind, kPods>;

boost::json::object node_json(const NodeState& node);
boost::json::object removal_json(const RemovalState& removal, const boost::json::object& spec,
                                 const Statuses& statuses);
boost::json::object pod_json(std::size_t pod, PodKind kind, const PodState& state);

/// What a merge patch of ours makes of the node; its preconditions have been checked.
void apply_patch(NodeState& node, const boost::json::object& patch);

}  // namespace model
