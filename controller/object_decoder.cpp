#include "controller/object_decoder.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse_options.hpp>
#include <boost/json/value.hpp>
#include <utility>
#include <vector>

namespace controller {
namespace {

namespace json = boost::json;
using boost::system::error_code;

/// Objects of the API nest deeper than Boost.JSON's default of 32.
constexpr std::size_t kMaxDepth = 64;
constexpr std::string_view kWhitespace = " \t\r\n";

/// An object or array that is being decoded.
struct Open {
  json::value value;
  const Projection* next = nullptr;    ///< what is kept of the value that comes next; null: nothing
  const Projection* fields = nullptr;  ///< of an object: what is kept of its members
  std::string key;                     ///< of the member that comes next
};

/// Receives the events of the parser.
class Builder {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = 64UL * 1024;
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  Builder(Projection fields, ObjectDecoder::OnItem on_item)
      : fields_(std::move(fields)), on_item_(std::move(on_item)) {}

  json::object take() {
    open_.clear();
    kept_ = items_ = 0;
    return std::exchange(result_, {});
  }
  const std::string& problem() const { return problem_; }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code& error) { return begin(json::object{}, error); }
  bool on_array_begin(error_code& error) { return begin(json::array{}, error); }
  bool on_object_end(std::size_t, error_code& error) { return end(error); }
  bool on_array_end(std::size_t, error_code& error) { return end(error); }

  bool on_key_part(std::string_view part, std::size_t, error_code& error) {
    if (skipped_ > 0) return true;
    text_ += part;
    return keep(part.size(), error);
  }
  bool on_key(std::string_view part, std::size_t, error_code& error) {
    if (skipped_ > 0) return true;
    text_ += part;
    if (!keep(part.size(), error)) return false;
    auto& object = open_.back();
    std::swap(object.key, text_);
    text_.clear();
    object.next = object.fields->member(object.key);
    return true;
  }
  bool on_string_part(std::string_view part, std::size_t, error_code& error) {
    if (!is_wanted()) return true;
    text_ += part;
    return keep(part.size(), error);
  }
  bool on_string(std::string_view part, std::size_t, error_code& error) {
    if (!is_wanted()) return true;
    if (!keep(part.size(), error)) return false;
    if (text_.empty()) return put(json::string{part}, error);
    text_ += part;
    const bool good = put(json::string{text_}, error);
    text_.clear();
    return good;
  }
  bool on_number_part(std::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, std::string_view, error_code& error) {
    return !is_wanted() || put(number, error);
  }
  bool on_uint64(std::uint64_t number, std::string_view, error_code& error) {
    return !is_wanted() || put(number, error);
  }
  bool on_double(double number, std::string_view, error_code& error) {
    return !is_wanted() || put(number, error);
  }
  bool on_bool(bool flag, error_code& error) { return !is_wanted() || put(flag, error); }
  bool on_null(error_code& error) { return !is_wanted() || put(nullptr, error); }
  bool on_comment_part(std::string_view, error_code&) { return true; }
  bool on_comment(std::string_view, error_code&) { return true; }

 private:
  /// What is kept of the value that comes now; nullptr: nothing.
  const Projection* fields_of_next() const { return open_.empty() ? &fields_ : open_.back().next; }
  bool is_wanted() const { return skipped_ == 0 && fields_of_next() != nullptr; }

  bool begin(json::value value, error_code& error) {
    if (!is_wanted()) {
      ++skipped_;
      return true;
    }
    if (open_.empty() && !value.is_object()) return fail("is no object", error);
    if (!keep(sizeof(Open), error)) return false;
    const auto* fields = fields_of_next();
    // Of an array, the elements are kept as the array is.
    open_.push_back({.value = std::move(value), .next = fields, .fields = fields, .key = {}});
    return true;
  }

  bool end(error_code& error) {
    if (skipped_ > 0) {
      --skipped_;
      return true;
    }
    auto value = std::move(open_.back().value);
    open_.pop_back();
    if (open_.empty()) {
      result_ = std::move(value.get_object());
      return true;
    }
    return put(std::move(value), error);
  }

  /// An element of the array "items" of the outermost object.
  bool is_item() const {
    return on_item_ && open_.size() == 2 && open_.back().value.is_array() &&
           open_.front().key == "items";
  }

  bool put(json::value value, error_code& error) {
    if (open_.empty()) return fail("is no object", error);
    if (!keep(sizeof(json::value), error)) return false;
    if (is_item()) {
      if (!value.is_object()) return fail("has an item that is no object", error);
      if (++items_ > ObjectDecoder::kMaxItems) {
        return fail(fmt::format("has more than {} items", ObjectDecoder::kMaxItems), error);
      }
      kept_ = 0;
      on_item_(std::move(value.get_object()));
      return true;
    }
    auto& last = open_.back();
    if (auto* array = last.value.if_array()) {
      array->push_back(std::move(value));
    } else {
      last.value.get_object()[last.key] = std::move(value);
    }
    return true;
  }

  /// Counts what memory is needed for; false when it is too much.
  bool keep(std::size_t bytes, error_code& error) {
    kept_ += bytes;
    if (kept_ <= ObjectDecoder::kMaxKept) return true;
    return fail(fmt::format("has an object of more than {} bytes", ObjectDecoder::kMaxKept), error);
  }

  bool fail(std::string_view problem, error_code& error) {
    problem_ = problem;
    error = json::make_error_code(json::error::exception);
    return false;
  }

  Projection fields_;
  ObjectDecoder::OnItem on_item_;
  std::vector<Open> open_;
  std::size_t skipped_ = 0;  ///< how deep we are in what is skipped
  std::size_t kept_ = 0;     ///< bytes, of this object or since its last item
  std::size_t items_ = 0;
  std::string text_;  ///< of a key or string that was cut
  json::object result_;
  std::string problem_;
};

json::parse_options options() {
  json::parse_options result;
  result.max_depth = kMaxDepth;
  return result;
}

}  // namespace

class ObjectDecoder::Impl {
 public:
  Impl(Projection fields, OnItem on_item)
      : parser_(options(), std::move(fields), std::move(on_item)) {}

  std::expected<std::size_t, std::string> feed(std::string_view bytes) {
    std::size_t leading = 0;
    if (!begun_) {
      leading = std::min(bytes.find_first_not_of(kWhitespace), bytes.size());
      bytes.remove_prefix(leading);
      if (bytes.empty()) return leading;
      begun_ = true;
    }
    error_code error;
    const auto consumed = parser_.write_some(true, bytes.data(), bytes.size(), error);
    if (!error) return leading + consumed;
    const auto& problem = parser_.handler().problem();
    if (!problem.empty()) return std::unexpected("that " + problem);
    return std::unexpected(fmt::format("that is not JSON ({})", error.message()));
  }

  bool done() const { return parser_.done(); }

  json::object take() {
    auto result = parser_.handler().take();
    parser_.reset();
    begun_ = false;
    return result;
  }

 private:
  json::basic_parser<Builder> parser_;
  bool begun_ = false;
};

ObjectDecoder::ObjectDecoder(Projection fields, OnItem on_item)
    : impl_(std::make_unique<Impl>(std::move(fields), std::move(on_item))) {}
ObjectDecoder::~ObjectDecoder() = default;

std::expected<std::size_t, std::string> ObjectDecoder::feed(std::string_view bytes) {
  return impl_->feed(bytes);
}
bool ObjectDecoder::done() const { return impl_->done(); }
boost::json::object ObjectDecoder::take() { return impl_->take(); }

}  // namespace controller
