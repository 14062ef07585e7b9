#include "controller/arguments.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <string_view>

std::string wrong_with_number(const std::string& value) {
  const auto digits = std::string_view(value).substr(value.starts_with('-') ? 1 : 0);
  const bool decimal =
      !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (decimal && (digits.size() == 1 || digits.front() != '0')) return {};
  return "\"" + value + "\" is not a whole number";
}

std::string wrong_with_flag(const std::string& value) {
  return value == "true" || value == "false" ? "" : "\"" + value + "\" is not true or false";
}

std::string wrong_with_empty_flag(const CLI::App& app, int argc, const char* const* argv) {
  for (const auto* option : app.get_options()) {
    if (option->get_items_expected_max() > 0) continue;
    for (int i = 1; i < argc; ++i) {
      const auto name = option->get_name();
      if (argv[i] == name + "=") return name + ": \"\" is not true or false";
    }
  }
  for (const auto* command : app.get_subcommands({})) {
    auto wrong = wrong_with_empty_flag(*command, argc, argv);
    if (!wrong.empty()) return wrong;
  }
  return {};
}

std::vector<std::string> arguments_of(int argc, const char* const* argv) {
  std::vector<std::string> out;
  for (int i = 1; i < argc; ++i) {
    const std::string_view text{argv[i]};
    const bool no_value = text.starts_with("--") && text.find('=') == text.size() - 1;
    out.emplace_back(no_value ? text.substr(0, text.size() - 1) : text);
    if (no_value) out.emplace_back();
  }
  std::ranges::reverse(out);
  return out;
}

EarlyExit usage_error(const std::string& what) {
  return {2, what + "\nRun with --help for more information.\n"};
}

std::optional<EarlyExit> parse_arguments(CLI::App& app, int argc, const char* const* argv) {
  if (const auto wrong = wrong_with_empty_flag(app, argc, argv); !wrong.empty()) {
    return usage_error(wrong);
  }
  try {
    app.parse(arguments_of(argc, argv));
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const bool wrong = app.exit(error, out, err) != 0;
    return EarlyExit{wrong ? 2 : 0, out.str() + err.str()};
  }
  return std::nullopt;
}
