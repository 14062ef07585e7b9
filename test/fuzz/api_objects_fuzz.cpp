// One JSON object, read as every kind that the operator reads.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <string_view>

#include "controller/lease.hpp"
#include "crd/core_types.hpp"
#include "crd/json.hpp"
#include "crd/label_selector.hpp"
#include "crd/node_removal.hpp"
#include "reconcilers/guards.hpp"
#include "reconcilers/removed_nodes.hpp"
#include "reconcilers/validate.hpp"
#include "test/fuzz/fuzz_input.hpp"

namespace {

void read_everything(const boost::json::object& object) {
  const auto node = crd::node_from_json(object);
  reconcilers::read_claim(node);
  static_cast<void>(node.is_control_plane());
  const auto pod = crd::pod_from_json(object);
  fuzz::require(pod.full_name() == pod.meta.ns + "/" + pod.meta.name, "names are as sent");
  crd::workload_from_json(object);
  crd::volume_attachment_from_json(object);
  crd::disruption_budget_from_json(object).never_allows();
  crd::is_exclusive_claim(object);
  crd::label_selector_from_json(object);
  controller::lease_from_json(object);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  boost::system::error_code error;
  const auto value =
      boost::json::parse(std::string_view(reinterpret_cast<const char*>(data), size), error);
  if (error || !value.is_object()) return 0;
  read_everything(value.get_object());

  const auto removal = crd::node_removal_from_json(value.get_object());
  reconcilers::validate(removal.spec);
  const auto written = crd::to_json(removal.status);
  const auto again = crd::node_removal_from_json({{"status", written}});
  fuzz::require(crd::to_json(again.status) == written, "a status is read back as it was written");
  return 0;
}
