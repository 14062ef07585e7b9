#pragma once

#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crd/condition.hpp"
#include "crd/node_removal.hpp"
#include "crd/time.hpp"

namespace reconcilers {

inline constexpr std::string_view kDrainPath = "drain";
inline constexpr std::string_view kDeadPath = "dead";
inline constexpr std::array kPaths{kDrainPath, kDeadPath};

/// On which of the two ways a removal is, as its status says: the pods of its node are evicted, or
/// the node is NotReady and they are deleted when that lasts.
std::string_view path_of(const crd::NodeRemovalStatus& status);

/// The steps whose durations are told, by their conditions.
inline constexpr std::array kSteps{
    crd::condition::kAccepted,     crd::condition::kCordoned,
    crd::condition::kDrained,      crd::condition::kTerminatingPodsCleared,
    crd::condition::kPodsMigrated, crd::condition::kVolumesDetached,
    crd::condition::kHostCleaned,  crd::condition::kNodeDeleted,
    crd::condition::kLeftoversGone};

/// What has happened to a removal since it was looked at last.
struct RemovalNews {
  struct Step {
    std::string_view type;
    std::string_view path;
    std::chrono::milliseconds duration;
  };
  struct End {
    std::string_view outcome;  ///< Succeeded, Failed or Cancelled
    std::string reason;
    std::string_view path;
    std::optional<std::chrono::milliseconds> duration;  ///< nullopt: it had not begun
  };
  std::vector<Step> steps;  ///< that were done
  std::optional<End> end;
  std::string_view path = kDrainPath;
  bool node_deleted = false;   ///< the Node is gone, and we deleted it
  bool declared_dead = false;  ///< its pods are deleted instead of evicted from now on
  bool recovered = false;      ///< a node that was declared dead is Ready again
  bool needs_fencing = false;  ///< from now on a human's word is missing
};

/// Follows one removal from version to version, so that each fact is told once: not again when a
/// write of the status is repeated, and not what was there when the process began. Knows only what
/// the API server has accepted. Of a removal with a nodeSelector only the end is told; the rest is
/// told of its children.
class RemovalProgress {
 public:
  /// What is true of the removal now is no news.
  explicit RemovalProgress(const crd::NodeRemoval& removal);

  /// `removal` is the same one, in the newest version that is known.
  RemovalNews go_on(const crd::NodeRemoval& removal);
  /// The removal does not exist any more, or nothing has to be undone of it. nullopt when its end
  /// was told already.
  std::optional<RemovalNews::End> cancelled(crd::TimePoint now) const;

 private:
  void remember(const crd::NodeRemoval& removal);
  void tell_of_death(const crd::NodeRemovalStatus& status, RemovalNews& news);

  std::string resource_version_;
  crd::Conditions conditions_;
  std::string_view path_ = kDrainPath;
  std::optional<crd::TimePoint> start_time_;  ///< nullopt also with a nodeSelector
  bool ended_ = false;
  bool dead_ = false;
  bool fencing_owed_ = false;
};

}  // namespace reconcilers
