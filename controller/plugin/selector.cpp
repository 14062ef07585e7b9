#include "controller/plugin/selector.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <vector>

namespace plugin {
namespace {

namespace bj = boost::json;

std::string_view trim(std::string_view text) {
  const auto start = text.find_first_not_of(' ');
  if (start == std::string_view::npos) return {};
  return text.substr(start, text.find_last_not_of(' ') - start + 1);
}

/// At commas outside brackets.
std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t start = 0;
  bool inside = false;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && (text[i] == '(' || text[i] == ')')) inside = text[i] == '(';
    if (i < text.size() && (text[i] != ',' || inside)) continue;
    out.push_back(trim(text.substr(start, i - start)));
    start = i + 1;
  }
  return out;
}

bool is_word(std::string_view text, std::string_view more, bool may_be_empty) {
  const auto alphanumeric = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty()) return may_be_empty;
  return alphanumeric(text.front()) && alphanumeric(text.back()) &&
         std::ranges::all_of(text, [&](char c) {
           return alphanumeric(c) || more.find(c) != std::string_view::npos;
         });
}

bool is_key(std::string_view text) { return is_word(text, "-_./", false); }
bool is_value(std::string_view text) { return is_word(text, "-_.", true) && text.size() <= 63; }

/// One requirement, added to the selector; false when it is none.
class Adder {
 public:
  bool add(std::string_view term) {
    if (term.starts_with('!')) return add_expression(trim(term.substr(1)), "DoesNotExist", {});
    if (const auto at = term.find("!="); at != std::string_view::npos) {
      return add_expression(trim(term.substr(0, at)), "NotIn", {trim(term.substr(at + 2))});
    }
    if (const auto at = term.find('='); at != std::string_view::npos) {
      const bool doubled = term.substr(at).starts_with("==");
      return add_label(trim(term.substr(0, at)), trim(term.substr(at + (doubled ? 2 : 1))));
    }
    for (const auto& [word, op] : {std::pair{" notin ", "NotIn"}, {" in ", "In"}}) {
      const auto at = term.find(word);
      if (at == std::string_view::npos) continue;
      const auto list = trim(term.substr(at + std::string_view{word}.size()));
      if (!list.starts_with('(') || !list.ends_with(')')) return false;
      return add_expression(trim(term.substr(0, at)), op, split(list.substr(1, list.size() - 2)));
    }
    return add_expression(term, "Exists", {});
  }

  bj::object take() {
    bj::object selector;
    if (!labels_.empty()) selector["matchLabels"] = std::move(labels_);
    if (!expressions_.empty()) selector["matchExpressions"] = std::move(expressions_);
    return selector;
  }

 private:
  bool add_label(std::string_view key, std::string_view value) {
    if (!is_key(key) || !is_value(value)) return false;
    // Both have to hold, which one map cannot say.
    if (labels_.contains(key)) return add_expression(key, "In", {value});
    labels_[key] = value;
    return true;
  }

  bool add_expression(std::string_view key, std::string_view op,
                      const std::vector<std::string_view>& values) {
    if (!is_key(key) || !std::ranges::all_of(values, is_value)) return false;
    bj::object expression{{"key", key}, {"operator", op}};
    if (!values.empty()) expression["values"] = bj::array(values.begin(), values.end());
    expressions_.push_back(std::move(expression));
    return true;
  }

  bj::object labels_;
  bj::array expressions_;
};

}  // namespace

std::expected<bj::object, std::string> parse_selector(std::string_view text) {
  Adder adder;
  for (const auto term : split(text)) {
    if (adder.add(term)) continue;
    return std::unexpected("\"" + std::string{text} + "\" is not a label selector such as " +
                           "\"app=web,tier!=db,zone in (a,b),gpu,!spot\"");
  }
  return adder.take();
}

}  // namespace plugin
