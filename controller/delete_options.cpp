#include "controller/delete_options.hpp"

#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace controller {
namespace {

boost::json::object preconditions(const std::string& uid, const std::string& resource_version) {
  boost::json::object out;
  out["uid"] = uid;
  if (!resource_version.empty()) out["resourceVersion"] = resource_version;
  return out;
}

}  // namespace

std::string delete_options(const std::string& uid, const std::string& resource_version,
                           std::optional<std::chrono::seconds> grace) {
  boost::json::object body;
  body["apiVersion"] = "v1";
  body["kind"] = "DeleteOptions";
  body["preconditions"] = preconditions(uid, resource_version);
  if (grace) body["gracePeriodSeconds"] = grace->count();
  return boost::json::serialize(body);
}

std::string eviction(const std::string& api_version, const PodRef& pod,
                     std::optional<std::chrono::seconds> grace, bool dry_run) {
  boost::json::object metadata;
  metadata["name"] = pod.name;
  metadata["namespace"] = pod.ns;

  boost::json::object options;
  options["preconditions"] = preconditions(pod.uid, {});
  if (grace) options["gracePeriodSeconds"] = grace->count();
  if (dry_run) options["dryRun"] = boost::json::array{"All"};

  boost::json::object body;
  body["apiVersion"] = api_version;
  body["kind"] = "Eviction";
  body["metadata"] = std::move(metadata);
  body["deleteOptions"] = std::move(options);
  return boost::json::serialize(body);
}

}  // namespace controller
