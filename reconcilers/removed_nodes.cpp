#include "reconcilers/removed_nodes.hpp"

#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/system/error_code.hpp>
#include <utility>
#include <vector>

#include "crd/json.hpp"

namespace reconcilers::removed_nodes {
namespace {

namespace bj = boost::json;

/// About 150 bytes each; a ConfigMap holds 1 MiB.
constexpr std::size_t kMaxEntries = 2000;

}  // namespace

std::map<std::string, RemovedNode> from_config_map(const bj::object& config_map) {
  std::map<std::string, RemovedNode> result;
  for (const auto& [node, text] : crd::json::string_map_at(config_map, "data")) {
    boost::system::error_code error;
    const auto value = bj::parse(text, error);
    const auto* entry = error ? nullptr : value.if_object();
    if (entry == nullptr || crd::json::string_at(*entry, "uid").empty()) continue;
    result[node] = {.uid = crd::json::string_at(*entry, "uid"),
                    .removal = crd::json::string_at(*entry, "removal"),
                    .time = crd::json::string_at(*entry, "time")};
  }
  return result;
}

bj::object data_patch(const std::map<std::string, RemovedNode>& recorded, const std::string& node,
                      const RemovedNode& entry) {
  bj::object data;
  if (recorded.size() >= kMaxEntries) {
    std::vector<std::pair<std::string, std::string>> by_age;
    by_age.reserve(recorded.size());
    for (const auto& [name, removed] : recorded) by_age.emplace_back(removed.time, name);
    std::ranges::sort(by_age);
    for (std::size_t i = 0; i <= recorded.size() - kMaxEntries; ++i)
      data[by_age[i].second] = nullptr;
  }
  data[node] = bj::serialize(
      bj::object{{"uid", entry.uid}, {"removal", entry.removal}, {"time", entry.time}});
  return data;
}

}  // namespace reconcilers::removed_nodes
