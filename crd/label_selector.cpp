#include "crd/label_selector.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <string_view>

#include "crd/json.hpp"

namespace crd {
namespace {

namespace bj = boost::json;
using Labels = std::map<std::string, std::string>;

std::optional<LabelSelector::Operator> operator_from(std::string_view word) {
  using enum LabelSelector::Operator;
  if (word == "In") return In;
  if (word == "NotIn") return NotIn;
  if (word == "Exists") return Exists;
  if (word == "DoesNotExist") return DoesNotExist;
  return std::nullopt;
}

std::optional<LabelSelector::Requirement> requirement_from(const bj::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr) return std::nullopt;
  LabelSelector::Requirement requirement;
  requirement.key = json::string_at(*object, "key");
  requirement.values = json::strings_at(*object, "values");
  const auto op = operator_from(json::string_at(*object, "operator"));
  const auto* values = json::array_at(*object, "values");
  if (!op || requirement.key.empty()) return std::nullopt;
  if (values != nullptr && values->size() != requirement.values.size()) return std::nullopt;
  requirement.op = *op;
  const bool takes_values =
      *op == LabelSelector::Operator::In || *op == LabelSelector::Operator::NotIn;
  if (takes_values == requirement.values.empty()) return std::nullopt;
  return requirement;
}

bool holds(const LabelSelector::Requirement& requirement, const Labels& labels) {
  const auto found = labels.find(requirement.key);
  const bool listed =
      found != labels.end() &&
      std::ranges::find(requirement.values, found->second) != requirement.values.end();
  switch (requirement.op) {
    case LabelSelector::Operator::In:
      return listed;
    case LabelSelector::Operator::NotIn:
      return !listed;
    case LabelSelector::Operator::Exists:
      return found != labels.end();
    case LabelSelector::Operator::DoesNotExist:
      break;
  }
  return found == labels.end();
}

std::string join(const std::vector<std::string>& values) {
  std::string result;
  for (const auto& value : values) result += (result.empty() ? "" : ",") + value;
  return result;
}

std::string query_of(const LabelSelector::Requirement& requirement) {
  switch (requirement.op) {
    case LabelSelector::Operator::In:
      return requirement.key + " in (" + join(requirement.values) + ")";
    case LabelSelector::Operator::NotIn:
      return requirement.key + " notin (" + join(requirement.values) + ")";
    case LabelSelector::Operator::Exists:
      return requirement.key;
    case LabelSelector::Operator::DoesNotExist:
      break;
  }
  return "!" + requirement.key;
}

}  // namespace

bool LabelSelector::matches(const Labels& labels) const {
  const auto has_label = [&](const auto& wanted) {
    const auto found = labels.find(wanted.first);
    return found != labels.end() && found->second == wanted.second;
  };
  return std::ranges::all_of(match_labels, has_label) &&
         std::ranges::all_of(match_expressions, [&](const Requirement& requirement) {
           return holds(requirement, labels);
         });
}

std::string LabelSelector::query() const {
  std::string result;
  const auto add = [&](const std::string& part) { result += (result.empty() ? "" : ",") + part; };
  for (const auto& [key, value] : match_labels) add(key + "=" + value);
  for (const auto& requirement : match_expressions) add(query_of(requirement));
  return result;
}

std::optional<LabelSelector> label_selector_from_json(const bj::object& object) {
  LabelSelector selector;
  selector.match_labels = json::string_map_at(object, "matchLabels");
  const auto* labels = json::object_at(object, "matchLabels");
  if (labels != nullptr && labels->size() != selector.match_labels.size()) return std::nullopt;
  const auto* expressions = json::array_at(object, "matchExpressions");
  for (const auto& value : expressions == nullptr ? bj::array{} : *expressions) {
    auto requirement = requirement_from(value);
    if (!requirement) return std::nullopt;
    selector.match_expressions.push_back(*std::move(requirement));
  }
  return selector;
}

}  // namespace crd
