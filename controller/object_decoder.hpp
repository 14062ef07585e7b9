#pragma once

#include <boost/json/object.hpp>
#include <cstddef>
#include <expected>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "controller/projection.hpp"

namespace controller {

/// Decodes JSON objects from text that is cut anywhere, one after the other, and keeps of them what
/// a projection names. Any cut gives the same result (but for the rounding of a fraction). Memory:
/// what is kept of one object, whatever the text weighs. Pure: no I/O.
class ObjectDecoder {
 public:
  /// What may be kept of one object, or of one item, in bytes: ten times what etcd takes, or some
  /// thousand pods of one node without their unwanted fields.
  static constexpr std::size_t kMaxKept = std::size_t{64} * 1024 * 1024;
  /// That are handed on one by one.
  static constexpr std::size_t kMaxItems = 1'000'000;

  /// Called with every object in the array "items" as soon as it is complete, which is before it is
  /// known that the rest is good; these objects are not kept.
  using OnItem = std::function<void(boost::json::object&&)>;

  explicit ObjectDecoder(Projection fields, OnItem on_item = {});
  ~ObjectDecoder();
  ObjectDecoder(const ObjectDecoder&) = delete;
  ObjectDecoder& operator=(const ObjectDecoder&) = delete;

  /// Takes bytes up to the end of the object, and returns how many. Fails with a sentence for what
  /// is no JSON object, is nested deeper than 64, has an item that is no object, or is too large to
  /// be kept; then it is of no use any more.
  std::expected<std::size_t, std::string> feed(std::string_view bytes);
  /// The object is complete.
  bool done() const;
  /// The complete object; the next one may follow.
  boost::json::object take();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace controller
