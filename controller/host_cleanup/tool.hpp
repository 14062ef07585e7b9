#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace host_cleanup {

/// A program of the machine, and how long and how much is waited for.
struct ToolCall {
  std::string name;  ///< looked for in $PATH and in the folders of administrators
  std::vector<std::string> arguments;
  std::string input{};  ///< its standard input
  std::chrono::milliseconds timeout = std::chrono::seconds(20);
  std::size_t max_output = std::size_t{1024} * 1024;  ///< bytes of standard output
};

struct ToolResult {
  std::string failure;  ///< empty: it ended with exit code 0, and `output` is all that it printed
  std::string output;
  std::string errors;      ///< the end of what it wrote to standard error
  int exit_code = -1;      ///< -1: it did not end by itself, or was not started
  bool missing = false;    ///< there is no such program
  bool timed_out = false;  ///< killed; one that even that does not end is left behind
};

/// nullopt when there is no such program.
std::optional<std::filesystem::path> find_tool(std::string_view name);

/// The $PATH that tools get.
std::string tool_path();

/// Runs it to its end, in a process group of its own that is killed when it is late or prints too
/// much, and that dies with us. A process that the tool leaves behind does not delay the end. Its
/// messages are in English. Assumes that we ignore SIGPIPE: a tool need not read its input.
ToolResult run_tool(const ToolCall& call);

/// For messages: what it wrote to standard error, in one line, or else why it failed.
std::string words_of(const ToolResult& result);

}  // namespace host_cleanup
