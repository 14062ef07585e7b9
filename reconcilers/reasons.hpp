#pragma once

#include <array>
#include <string_view>

/// Every reason that the condition Succeeded and the blockers can have, for whoever has to know
/// them before they happen. test/docs compares them with what the sources say.
namespace reconcilers::reasons {

/// Of Succeeded=True.
inline constexpr auto kSucceeded = std::to_array<std::string_view>(
    {"AlreadyReplaced", "Drained", "NodeAbsent", "NodeRemoved", "Planned"});

/// Of Succeeded=False.
inline constexpr auto kFailed = std::to_array<std::string_view>(
    {"DrainTimedOut", "HostCleanupFailed", "InvalidSpec", "MigrationTimedOut", "PartiallyFailed",
     "Refused", "VolumesTimedOut"});

/// Of Succeeded=Unknown: what the removal is doing or waiting for.
inline constexpr auto kWaiting = std::to_array<std::string_view>({"Accepted",
                                                                  "ApiUnavailable",
                                                                  "Blocked",
                                                                  "BudgetUsedUp",
                                                                  "CheckingLeftovers",
                                                                  "Cleaning",
                                                                  "ClaimedByOther",
                                                                  "Cordoning",
                                                                  "ClearingTerminatingPods",
                                                                  "DeleteRefused",
                                                                  "DeletingNode",
                                                                  "DrainBlocked",
                                                                  "Draining",
                                                                  "HandedOver",
                                                                  "HandingOver",
                                                                  "NeedsFencing",
                                                                  "LastControlPlaneNode",
                                                                  "LastSchedulableNode",
                                                                  "NodeNotReady",
                                                                  "NodeProtected",
                                                                  "NodeRejoined",
                                                                  "PodsLeftOut",
                                                                  "RemovingNodes",
                                                                  "Settling",
                                                                  "SpecChanged",
                                                                  "Suspended",
                                                                  "TooManyNodesNotReady",
                                                                  "Uncordoned",
                                                                  "WaitingForFinalizers",
                                                                  "WaitingForMigration",
                                                                  "WaitingForVolumes"});

inline constexpr auto kBlockers = std::to_array<std::string_view>(
    {"BypassesScheduler", "DaemonSetPod", "EmptyDirData", "EvictionFailed", "EvictionForbidden",
     "EvictionRefused", "EvictionUnknown", "Finalizer", "MultiplePodDisruptionBudgets",
     "NamespaceTerminating", "NeedsFencing", "NotSelected", "PodDisruptionBudget", "ServerBusy",
     "StartedAgain", "TerminatingTooLong", "ToleratesCordon", "UnmanagedPod", "WaitForCompletion"});

/// Those of kWaiting and kBlockers that last until somebody decides: the removal will not go on by
/// itself, and no controller can help it.
inline constexpr auto kDecisions = std::to_array<std::string_view>(
    {"ClaimedByOther", "DaemonSetPod", "EmptyDirData", "LastControlPlaneNode",
     "LastSchedulableNode", "NeedsFencing", "NodeProtected", "NodeRejoined", "PodsLeftOut",
     "SpecChanged", "Uncordoned", "UnmanagedPod"});

}  // namespace reconcilers::reasons
