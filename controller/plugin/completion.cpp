#include "controller/plugin/completion.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <optional>
#include <string_view>

#include "controller/plugin/command_line.hpp"

namespace plugin {
namespace {

constexpr const char* kNoFiles = ":4\n";
constexpr const char* kFiles = ":0\n";

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

/// The flag of the verb, or of all verbs, that is called so.
const CLI::Option* find_flag(const CLI::App& app, const CLI::App* verb, const std::string& name) {
  for (const auto* each : {verb, &app}) {
    if (each == nullptr) continue;
    if (const auto* found = each->get_option_no_throw(name)) return found;
  }
  return nullptr;
}

const CLI::App* find_verb(const CLI::App& app, const std::string& name) {
  for (const auto* verb : app.get_subcommands({})) {
    if (verb->get_name() == name) return verb;
  }
  return nullptr;
}

/// What is known before the word to complete.
struct Place {
  const CLI::App* verb = nullptr;
  const CLI::Option* flag = nullptr;  ///< whose value is the word
  std::size_t names = 0;              ///< words behind the verb that are no flags
};

Place place_of(const CLI::App& app, const std::vector<std::string>& words) {
  Place place;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const auto& word = words[i];
    if (place.flag != nullptr) {
      place.flag = nullptr;  // it was the value
    } else if (word.starts_with('-')) {
      const auto* flag = find_flag(app, place.verb, word);
      if (flag != nullptr && takes_value(*flag)) place.flag = flag;
    } else if (place.verb == nullptr) {
      place.verb = find_verb(app, word);
    } else {
      ++place.names;
    }
  }
  return place;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (true) {
    const auto at = text.find(separator);
    out.emplace_back(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at + 1);
  }
}

/// Those that begin like the word, and what ends the answer.
std::string answer(const std::vector<std::string>& candidates, std::string_view word,
                   const std::string& before, const char* directive) {
  std::string out;
  for (const auto& candidate : candidates) {
    if (candidate.starts_with(word)) out += before + candidate + "\n";
  }
  return out + directive;
}

/// Values of flags that take one of a few words say so in the name of their type.
std::string values_of(const CLI::Option& flag, std::string_view word, const std::string& before) {
  if (flag.get_name() == "--kubeconfig") return answer({}, word, before, kFiles);
  const auto type = flag.get_type_name();
  return type.contains('|') ? answer(split(type, '|'), word, before, kNoFiles) : kNoFiles;
}

std::vector<std::string> flags_of(const CLI::App& app) {
  std::vector<std::string> out;
  for (const auto* option : app.get_options()) {
    for (const auto& name : option->get_lnames()) out.push_back("--" + name);
  }
  return out;
}

}  // namespace

std::string complete(const std::vector<std::string>& words, const Names& names) {
  Command command;
  CLI::App app{"", "kubectl noderemoval"};
  describe(app, command);
  if (words.empty()) return kNoFiles;
  const auto& word = words.back();
  const auto place = place_of(app, words);
  if (place.flag != nullptr) return values_of(*place.flag, word, "");
  if (const auto equals = word.find('='); word.starts_with("--") && equals != std::string::npos) {
    const auto* flag = find_flag(app, place.verb, word.substr(0, equals));
    const auto before = word.substr(0, equals + 1);
    return flag == nullptr ? kNoFiles : values_of(*flag, word.substr(equals + 1), before);
  }
  if (word.starts_with('-')) {
    auto flags = flags_of(app);
    if (place.verb != nullptr) {
      for (auto& flag : flags_of(*place.verb)) flags.push_back(std::move(flag));
    }
    std::ranges::sort(flags);
    flags.erase(std::ranges::unique(flags).begin(), flags.end());
    return answer(flags, word, "", kNoFiles);
  }
  if (place.verb == nullptr) {
    std::vector<std::string> verbs;
    for (const auto* verb : app.get_subcommands({})) verbs.push_back(verb->get_name());
    return answer(verbs, word, "", kNoFiles);
  }
  if (place.names > 0) return kNoFiles;
  const auto& verb = place.verb->get_name();
  if (verb == "plan" || verb == "start") return answer(names.nodes(), word, "", kNoFiles);
  if (verb == "completion") return answer({"bash", "fish", "zsh"}, word, "", kNoFiles);
  const bool takes_name = place.verb->get_option_no_throw("REMOVAL") != nullptr;
  return takes_name ? answer(names.removals(), word, "", kNoFiles) : kNoFiles;
}

}  // namespace plugin
