#pragma once

#include <functional>
#include <string>
#include <vector>

namespace plugin {

/// Names in the cluster; empty when it does not answer.
struct Names {
  std::function<std::vector<std::string>()> nodes;
  std::function<std::vector<std::string>()> removals;
};

/// What may stand in place of the last word, which may be empty, by the protocol of kubectl's
/// plugins: one candidate per line, and ":4" (no file names) or ":0" (file names) at the end.
std::string complete(const std::vector<std::string>& words, const Names& names);

/// The script of `kubectl noderemoval completion SHELL`.
std::string shell_script(const std::string& shell);

}  // namespace plugin
