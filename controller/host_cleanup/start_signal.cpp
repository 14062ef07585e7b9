#include "controller/host_cleanup/start_signal.hpp"

#include <boost/json/parse.hpp>
#include <boost/system/error_code.hpp>

#include "crd/core_types.hpp"
#include "crd/host_cleanup.hpp"
#include "crd/json.hpp"
#include "crd/node_removal.hpp"

namespace host_cleanup {
namespace {

namespace bj = boost::json;
using Word = StartSignal::Word;

std::string annotation(const crd::ObjectMeta& meta, std::string_view key) {
  const auto found = meta.annotations.find(std::string{key});
  return found == meta.annotations.end() ? "" : found->second;
}

std::string uid_in_claim(const std::string& claim) {
  boost::system::error_code error;
  const auto value = bj::parse(claim, error);
  const auto* object = error ? nullptr : value.if_object();
  return object == nullptr ? "" : crd::json::string_at(*object, "uid");
}

}  // namespace

StartSignal start_signal_of(const bj::object& node, const Request& request) {
  const auto meta = crd::object_meta_from_json(node);
  if (meta.uid != request.node_uid) {
    return {Word::Stop, "the Node of this name has the UID " + meta.uid + ", not " +
                            request.node_uid + ": it is another one by now"};
  }
  if (uid_in_claim(annotation(meta, crd::kClaimAnnotation)) != request.removal_uid) {
    return {Word::Stop, "the Node is no longer claimed by this removal: it was cancelled"};
  }
  if (annotation(meta, crd::kHostCleanupStartAnnotation) == request.removal_uid) {
    return {Word::Start, {}};
  }
  return {};
}

std::vector<std::string> addresses_of_node(const bj::object& node) {
  std::vector<std::string> found;
  const auto* status = crd::json::object_at(node, "status");
  const auto* addresses = status == nullptr ? nullptr : crd::json::array_at(*status, "addresses");
  if (addresses == nullptr) return found;
  for (const auto& entry : *addresses) {
    const auto* object = entry.if_object();
    if (object == nullptr || !crd::json::string_at(*object, "type").ends_with("IP")) continue;
    found.push_back(crd::json::string_at(*object, "address"));
  }
  return found;
}

}  // namespace host_cleanup
