#pragma once

#include <string>

/// The end of a program before it began: --help, --version, or a usage error, with what to print
/// and the exit code.
struct EarlyExit {
  int code = 0;
  std::string text;
};
