#pragma once

#include <boost/json/object.hpp>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace crd {

/// A metav1.LabelSelector: every label and every requirement must hold.
struct LabelSelector {
  enum class Operator { In, NotIn, Exists, DoesNotExist };
  struct Requirement {
    std::string key;
    Operator op = Operator::Exists;
    std::vector<std::string> values;
    bool operator==(const Requirement&) const = default;
  };

  std::map<std::string, std::string> match_labels;
  std::vector<Requirement> match_expressions;

  /// A selector that asks for nothing selects everything, as in Kubernetes.
  bool matches(const std::map<std::string, std::string>& labels) const;
  /// The text of a `labelSelector` query; empty when the selector asks for nothing.
  std::string query() const;
  bool operator==(const LabelSelector&) const = default;
};

/// nullopt when there is anything in it that we do not understand: half a selector would select too
/// much.
std::optional<LabelSelector> label_selector_from_json(const boost::json::object& object);

}  // namespace crd
