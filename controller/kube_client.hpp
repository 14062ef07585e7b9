#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "controller/error.hpp"
#include "controller/resource.hpp"
#include "crd/core_types.hpp"
#include "crd/node_delete_permit.hpp"

namespace controller {

using boost::asio::awaitable;

/// The complete answer to a list: every page was read and all pages are of one snapshot.
struct List {
  std::string resource_version;
  std::vector<boost::json::object> items;
};

/// Paths of the members that are wanted, as Projection takes them; empty: all. Of what lives for
/// ever.
using Fields = std::span<const std::string_view>;

struct ListRequest {
  CollectionRef collection;
  std::string field_selector{};
  std::string label_selector{};
  /// Empty = quorum read (the newest state there is). "0" = whatever the watch cache of the server
  /// has.
  std::string resource_version{};
  Fields fields{};
  /// Called with each item as it comes, instead of collecting them in the List. What it was given
  /// counts only when the list succeeds.
  std::function<void(boost::json::object&&)> on_item{};
};

struct WatchRequest {
  CollectionRef collection;
  std::string field_selector{};
  std::string label_selector{};
  std::string resource_version{};  ///< of the list the watch continues; never empty
  Fields fields{};
};

/// One event of a watch. `object` of an Error event is the Status.
struct WatchEvent {
  enum class Type { Added, Modified, Deleted, Bookmark, Error } type = Type::Error;
  boost::json::object object;
};

/// An open watch. Destroying it closes the connection.
class WatchStream {
 public:
  virtual ~WatchStream() = default;
  /// The next event, or nullopt when the server ended the watch in order (its timeoutSeconds ran
  /// out). Fails with Unknown when the stream was cut, went silent for longer than the read-idle
  /// limit, or sent what is not a watch event. After a failure or nullopt the stream is dead.
  virtual awaitable<Result<std::optional<WatchEvent>>> next() = 0;
};

using crd::PodRef;

/// The verbs the operator uses, and no others. Every call has a total deadline. No call is ever
/// sent twice: a write without a usable answer fails with ErrorKind::Unknown and the caller has to
/// read again.
class KubeClient {
 public:
  virtual ~KubeClient() = default;

  /// Quorum read. NotFound only when the server's Status names this object.
  virtual awaitable<Result<boost::json::object>> get(ObjectRef object) = 0;
  /// All pages (500 items each), or an error; never a part.
  virtual awaitable<Result<List>> list(ListRequest request) = 0;
  virtual awaitable<Result<std::unique_ptr<WatchStream>>> watch(WatchRequest request) = 0;
  /// JSON merge patch; returns the object as it is after the patch. `subresource`: "" or "status".
  virtual awaitable<Result<boost::json::object>> patch(ObjectRef object,
                                                       std::string_view subresource,
                                                       boost::json::object merge_patch) = 0;
  virtual awaitable<Result<boost::json::object>> create(CollectionRef collection,
                                                        boost::json::object object) = 0;
  /// policy/v1 Eviction with the pod's UID as precondition (policy/v1beta1 on servers that lack
  /// v1). With `dry_run` the server only says what it would answer.
  virtual awaitable<Result<void>> evict(PodRef pod, std::optional<std::chrono::seconds> grace,
                                        bool dry_run) = 0;
  /// DELETE with the pod's UID as precondition; without `grace` the pod's own grace period applies.
  virtual awaitable<Result<void>> delete_pod(PodRef pod,
                                             std::optional<std::chrono::seconds> grace) = 0;
  /// DELETE of an object that is neither a pod nor a node, with its UID as precondition.
  virtual awaitable<Result<void>> delete_object(ObjectRef object, std::string uid) = 0;
  /// The 36 of Kubernetes 1.36; asked for once.
  virtual awaitable<Result<int>> server_minor() = 0;
  /// DELETE with UID and resourceVersion as preconditions. The only way to delete a node.
  virtual awaitable<Result<void>> delete_node(crd::NodeDeletePermit permit) = 0;
};

}  // namespace controller
