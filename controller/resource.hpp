#pragma once

#include <expected>
#include <map>
#include <string>
#include <string_view>

namespace controller {

/// A kind of objects in the API, e.g. {"api/v1", "pods", "Pod", true}. `path` has no leading or
/// trailing slash.
struct Resource {
  std::string_view path;
  std::string_view plural;
  std::string_view kind;
  bool namespaced = false;
  bool operator==(const Resource&) const = default;
};

/// A name that may stand in a URL path: 1 to 253 characters of [a-z0-9A-Z:._-], not "." and not
/// "..". It cannot be empty: `DELETE /api/v1/nodes/` with an empty name deletes every node
/// (measured on 1.36).
class Name {
 public:
  /// Fails with a sentence that says what is wrong with `text`.
  static std::expected<Name, std::string> parse(std::string_view text);
  const std::string& str() const { return text_; }
  auto operator<=>(const Name&) const = default;

 private:
  explicit Name(std::string_view text) : text_(text) {}
  std::string text_;
};

/// One object in the API. `ns` is ignored (and may be empty) for cluster-scoped resources.
struct ObjectRef {
  Resource resource;
  std::string ns;
  std::string name;
  bool operator==(const ObjectRef&) const = default;
};

/// A collection: all namespaces when `ns` is empty.
struct CollectionRef {
  Resource resource;
  std::string ns;
  bool operator==(const CollectionRef&) const = default;
};

using Query = std::map<std::string, std::string>;

/// URL path of the object with an optional subresource ("status", "eviction"); fails when the name
/// or the namespace cannot stand in a path.
std::expected<std::string, std::string> object_path(const ObjectRef& object,
                                                    std::string_view subresource = {});
std::expected<std::string, std::string> collection_path(const CollectionRef& collection);

/// "?a=b&c=d", percent-encoded (RFC 3986 unreserved characters stay), "" when empty.
std::string query_string(const Query& query);

}  // namespace controller
