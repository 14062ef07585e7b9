#include "test/model/words.hpp"

#include <boost/json/serialize.hpp>
#include <type_traits>

namespace model {

std::string_view action_name(const reconcilers::Action& action) {
  return std::visit(
      [](const auto& one) {
        using T = std::remove_cvref_t<decltype(one)>;
        if constexpr (std::is_same_v<T, reconcilers::Cordon>) return "cordon";
        if constexpr (std::is_same_v<T, reconcilers::Release>) return "release";
        if constexpr (std::is_same_v<T, reconcilers::SetTaints>) return "set taints";
        if constexpr (std::is_same_v<T, reconcilers::AddFinalizer>) return "add finalizer";
        if constexpr (std::is_same_v<T, reconcilers::RemoveFinalizer>) return "remove finalizer";
        if constexpr (std::is_same_v<T, reconcilers::Evict>) return "evict";
        if constexpr (std::is_same_v<T, reconcilers::DeletePod>) return "delete pod";
        if constexpr (std::is_same_v<T, reconcilers::ClearPod>) return "clear pod";
        if constexpr (std::is_same_v<T, reconcilers::RecordRemoval>) return "record";
        if constexpr (std::is_same_v<T, reconcilers::DeleteNode>) return "delete node";
        if constexpr (std::is_same_v<T, reconcilers::CreateHandOverPod>) return "create pod";
        if constexpr (std::is_same_v<T, reconcilers::DeleteHandOverPod>) return "delete its pod";
        if constexpr (std::is_same_v<T, reconcilers::StartHostCleanup>) return "start the cleaning";
        return "something else";
      },
      action);
}

std::string_view words_of(Fault fault) {
  switch (fault) {
    case Fault::None:
      return "ok";
    case Fault::NotFound:
      return "404";
    case Fault::Conflict:
      return "409";
    case Fault::WrongUid:
      return "422, another UID";
    case Fault::Budget:
      return "429, PodDisruptionBudget";
    case Fault::Unknown:
      break;
  }
  return "no answer";
}

std::string words_of(const Request& request) {
  switch (request.verb) {
    case Verb::GetRemoval:
      return "GET noderemoval";
    case Verb::GetNode:
      return "GET node";
    case Verb::ListNodes:
      return "LIST nodes";
    case Verb::ListPods:
      return "LIST pods of the node";
    case Verb::PatchRemoval:
      return "PATCH noderemoval's finalizers";
    case Verb::PatchNode:
      if (!request.patch.contains("spec")) return "PATCH node " + request.uid + " to be cleaned";
      return "PATCH node " + request.uid + " " + boost::json::serialize(request.patch.at("spec"));
    case Verb::PatchRecord:
      return "PATCH the record of removed nodes";
    case Verb::Evict:
      return "evict " + request.name;
    case Verb::DeletePod:
      return "DELETE " + request.name + (request.grace == 0 ? " with grace 0" : "");
    case Verb::DeleteNode:
      return "DELETE node " + request.uid;
    case Verb::CreateHandOver:
      return "POST the hand-over pod";
    case Verb::DeleteHandOver:
      return "DELETE the hand-over pod";
    case Verb::None:
      break;
  }
  return "nothing";
}

}  // namespace model
