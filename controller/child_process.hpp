#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace controller {

struct ChildCommand {
  std::filesystem::path program;
  std::vector<std::string> args;                         ///< without the name of the program
  std::vector<std::pair<std::string, std::string>> env;  ///< in addition to ours, or instead of it
};

struct ChildLimits {
  std::chrono::milliseconds timeout;  ///< total
  std::size_t max_output;             ///< bytes of standard output
  std::size_t max_errors;             ///< bytes of standard error that are kept: the last ones
};

struct ChildResult {
  std::string failure;  ///< empty: ended with exit code 0, with its whole output here
  std::string output;
  std::string errors;
};

/// Runs a program to its end, with standard input empty, in a process group of its own, with none
/// of our open files. When it is late, prints too much, or the call is cancelled (terminal), the
/// group is killed. In every case the program is gone and reaped when the call ends. A process that
/// the program leaves behind does not delay the end. The error is why it could not be started.
boost::asio::awaitable<std::expected<ChildResult, std::string>> run_child(ChildCommand command,
                                                                          ChildLimits limits);

}  // namespace controller
