#pragma once

#include <CLI/App.hpp>
#include <optional>
#include <string>
#include <vector>

#include "controller/early_exit.hpp"

/// Where CLI11 takes more than people mean. A check returns what is wrong, or nothing.

/// CLI11 would take 010 for 8, and any number for true or false.
std::string wrong_with_number(const std::string& value);
std::string wrong_with_flag(const std::string& value);

/// A flag, of the app or of one of its subcommands, with an equals sign and nothing behind it, as
/// from a template without its value.
std::string wrong_with_empty_flag(const CLI::App& app, int argc, const char* const* argv);

/// In reverse order, as CLI11 wants them. It would take `--name= next` for `--name next`.
std::vector<std::string> arguments_of(int argc, const char* const* argv);

/// Exit code 2, and what is wrong with a word on --help.
EarlyExit usage_error(const std::string& what);

/// Parses with all of the above; how the program ends when it is not to begin.
std::optional<EarlyExit> parse_arguments(CLI::App& app, int argc, const char* const* argv);
