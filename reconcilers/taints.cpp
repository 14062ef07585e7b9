#include "reconcilers/taints.hpp"

#include <algorithm>
#include <boost/json/object.hpp>
#include <iterator>
#include <string_view>
#include <utility>

#include "crd/json.hpp"
#include "crd/node_removal.hpp"

namespace reconcilers {

SetTaints set_taints(const crd::Node& node, boost::json::array taints) {
  return {.node = node.meta.name,
          .uid = node.meta.uid,
          .resource_version = node.meta.resource_version,
          .taints = std::move(taints)};
}

}  // namespace reconcilers

namespace reconcilers::taints {
namespace {

namespace bj = boost::json;

constexpr std::string_view kOurValue = "noderemoval";

bool is_removing(const bj::value& taint) {
  const auto* object = taint.if_object();
  return object != nullptr && crd::json::string_at(*object, "key") == crd::kRemovingTaint;
}

bool is_our_out_of_service(const bj::value& taint) {
  const auto* object = taint.if_object();
  return object != nullptr && crd::json::string_at(*object, "key") == crd::kOutOfServiceTaint &&
         crd::json::string_at(*object, "value") == kOurValue;
}

template <typename Predicate>
bj::array without(const bj::array& taints, Predicate predicate) {
  bj::array result;
  std::ranges::remove_copy_if(taints, std::back_inserter(result), predicate);
  return result;
}

}  // namespace

bj::array with_removing(const crd::Node& node) {
  auto result = without(node.taints_json, is_removing);
  result.push_back(bj::object{{"key", crd::kRemovingTaint}, {"effect", "NoSchedule"}});
  return result;
}

bj::array with_out_of_service(const crd::Node& node) {
  auto result = without_out_of_service(node);
  result.push_back(
      bj::object{{"key", crd::kOutOfServiceTaint}, {"value", kOurValue}, {"effect", "NoExecute"}});
  return result;
}

bj::array without_out_of_service(const crd::Node& node) {
  return without(node.taints_json, is_our_out_of_service);
}

bj::array without_ours(const crd::Node& node) {
  return without(without_out_of_service(node), is_removing);
}

bool has_removing(const crd::Node& node) {
  return std::ranges::any_of(node.taints_json, is_removing);
}

bool has_our_out_of_service(const crd::Node& node) {
  return std::ranges::any_of(node.taints_json, is_our_out_of_service);
}

bool has_foreign_out_of_service(const crd::Node& node) {
  return std::ranges::any_of(node.taints, [](const crd::Taint& taint) {
    return taint.key == crd::kOutOfServiceTaint && taint.value != kOurValue;
  });
}

}  // namespace reconcilers::taints
