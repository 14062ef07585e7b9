#include "reconcilers/children.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "controller/log.hpp"
#include "crd/json.hpp"
#include "reconcilers/resources.hpp"

namespace reconcilers {
namespace {

namespace bj = boost::json;
using controller::awaitable;
using controller::ErrorKind;
using controller::KubeClient;
using controller::KubeError;
using controller::ObjectRef;
using controller::Result;

bj::object child_spec(const bj::object& parent, const CreateChild& child) {
  const auto* spec = crd::json::object_at(parent, "spec");
  auto result = spec == nullptr ? bj::object{} : *spec;
  // A child that goes away by itself would look like a cancelled one; it goes with its parent.
  for (const auto* key : {"nodeSelector", "maxConcurrent", "ttlSecondsAfterFinished"}) {
    result.erase(key);
  }
  result["nodeName"] = child.node;
  result["nodeUID"] = child.node_uid;
  return result;
}

bj::object child_object(const bj::object& parent, const crd::ObjectMeta& parent_meta,
                        const CreateChild& child) {
  bj::object metadata{{"name", child.name},
                      {"ownerReferences", bj::array{crd::owner_reference(parent_meta)}}};
  return {{"apiVersion", crd::kApiVersion},
          {"kind", crd::kKind},
          {"metadata", std::move(metadata)},
          {"spec", child_spec(parent, child)}};
}

bool is_wanted(const crd::NodeRemoval& fresh, const crd::NodeRemoval& parent) {
  return fresh.meta.uid == parent.meta.uid && !fresh.is_being_deleted() &&
         !fresh.status.is_terminal() && !fresh.spec.suspend;
}

KubeError error_of(ErrorKind kind, std::string message) {
  KubeError error;
  error.kind = kind;
  error.message = std::move(message);
  return error;
}

/// One of this name exists: made by us before a crash, or not ours at all.
awaitable<Result<void>> expect_own(KubeClient& client, std::string parent_uid, CreateChild child) {
  ObjectRef ref{resources::kNodeRemovals, {}, child.name};
  const auto existing = co_await client.get(std::move(ref));
  if (!existing) co_return std::unexpected(existing.error());
  const auto meta = crd::object_meta_from_json(*existing);
  const auto* owner = meta.controller();
  if (owner != nullptr && owner->uid == parent_uid) co_return Result<void>{};
  co_return std::unexpected(error_of(
      ErrorKind::Invalid, "NodeRemoval " + child.name + " for node " + child.node +
                              " exists already and is not of this one; delete it to go on"));
}

}  // namespace

awaitable<Result<void>> create_child(KubeClient& client, crd::NodeRemoval parent,
                                     CreateChild child) {
  ObjectRef ref{resources::kNodeRemovals, {}, parent.meta.name};
  const auto object = co_await client.get(std::move(ref));
  if (!object) co_return std::unexpected(object.error());
  if (!is_wanted(crd::node_removal_from_json(*object), parent)) {
    co_return std::unexpected(error_of(ErrorKind::Conflict, "the NodeRemoval has changed"));
  }
  controller::CollectionRef collection{resources::kNodeRemovals, {}};
  const auto answer =
      co_await client.create(std::move(collection), child_object(*object, parent.meta, child));
  if (answer) {
    controller::log(controller::LogLevel::Info, "child created",
                    {{"removal", parent.meta.name}, {"child", child.name}, {"node", child.node}});
    co_return Result<void>{};
  }
  if (answer.error().kind != ErrorKind::Conflict) co_return std::unexpected(answer.error());
  co_return co_await expect_own(client, parent.meta.uid, std::move(child));
}

awaitable<Result<bool>> find_parent(KubeClient& client, const crd::NodeRemoval& removal) {
  const auto* owner = removal.meta.controller();
  if (owner == nullptr || owner->kind != crd::kKind) co_return true;
  const auto uid = owner->uid;
  ObjectRef ref{resources::kNodeRemovals, {}, owner->name};
  const auto parent = co_await client.get(std::move(ref));
  if (!parent && parent.error().kind == ErrorKind::NotFound) co_return false;
  if (!parent) co_return std::unexpected(parent.error());
  const auto meta = crd::object_meta_from_json(*parent);
  co_return meta.uid == uid && !meta.deletion_timestamp;
}

awaitable<Result<void>> steer_child(KubeClient& client, SteerChild child) {
  ObjectRef ref{resources::kNodeRemovals, {}, child.name};
  bj::object annotations;
  annotations[crd::kSuspendedByParentAnnotation] = nullptr;
  if (child.by_parent) annotations[crd::kSuspendedByParentAnnotation] = "true";
  bj::object metadata{{"resourceVersion", child.resource_version},
                      {"annotations", std::move(annotations)}};
  bj::object unreachable{{"fenced", child.fenced}};
  bj::object spec{{"suspend", child.suspend}, {"unreachable", std::move(unreachable)}};
  bj::object patch{{"metadata", std::move(metadata)}, {"spec", std::move(spec)}};
  const auto answer = co_await client.patch(std::move(ref), "", std::move(patch));
  if (answer) co_return Result<void>{};
  co_return std::unexpected(answer.error());
}

}  // namespace reconcilers
