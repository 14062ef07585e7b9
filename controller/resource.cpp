#include "controller/resource.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace controller {
namespace {

constexpr std::size_t kMaxName = 253;  // DNS subdomain, the longest name the API server accepts

// The locale-aware functions of <cctype> would let other letters through.
bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool may_stand_in_name(char c) {
  return is_alphanumeric(c) || c == ':' || c == '.' || c == '_' || c == '-';
}

void append_encoded(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out.push_back(c);
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
}

std::expected<std::string, std::string> checked(std::string_view what, std::string_view text) {
  auto name = Name::parse(text);
  if (!name) return std::unexpected(fmt::format("{} {}", what, name.error()));
  return name->str();
}

}  // namespace

std::expected<Name, std::string> Name::parse(std::string_view text) {
  if (text.empty()) return std::unexpected("is empty");
  if (text.size() > kMaxName) {
    return std::unexpected(
        fmt::format("has {} characters, at most {} are allowed", text.size(), kMaxName));
  }
  const auto bad = std::ranges::find_if_not(text, may_stand_in_name);
  if (bad != text.end()) {
    return std::unexpected(
        fmt::format("has the byte 0x{:02x} at position {}, which may not stand in a URL path",
                    static_cast<unsigned char>(*bad), bad - text.begin()));
  }
  if (text == "." || text == "..") {
    return std::unexpected(fmt::format("is \"{}\", which is a directory in a URL path", text));
  }
  return Name(text);
}

std::expected<std::string, std::string> object_path(const ObjectRef& object,
                                                    std::string_view subresource) {
  std::string path = fmt::format("/{}", object.resource.path);
  if (object.resource.namespaced) {
    auto ns = checked("namespace", object.ns);
    if (!ns) return std::unexpected(std::move(ns).error());
    path += fmt::format("/namespaces/{}", *ns);
  }
  auto name = checked("name", object.name);
  if (!name) return std::unexpected(std::move(name).error());
  path += fmt::format("/{}/{}", object.resource.plural, *name);
  if (!subresource.empty()) path += fmt::format("/{}", subresource);
  return path;
}

std::expected<std::string, std::string> collection_path(const CollectionRef& collection) {
  std::string path = fmt::format("/{}", collection.resource.path);
  if (collection.resource.namespaced && !collection.ns.empty()) {
    auto ns = checked("namespace", collection.ns);
    if (!ns) return std::unexpected(std::move(ns).error());
    path += fmt::format("/namespaces/{}", *ns);
  }
  return path + fmt::format("/{}", collection.resource.plural);
}

std::string query_string(const Query& query) {
  std::string out;
  for (const auto& [key, value] : query) {
    out.push_back(out.empty() ? '?' : '&');
    append_encoded(out, key);
    out.push_back('=');
    append_encoded(out, value);
  }
  return out;
}

}  // namespace controller
