#include "controller/host_cleanup/host_cleanup.hpp"

#include <sys/stat.h>

#include <csignal>
#include <cstdio>
#include <exception>
#include <string_view>

#include "controller/host_cleanup/command_line.hpp"
#include "controller/host_cleanup/modes.hpp"

namespace host_cleanup {

bool is_called(int argc, const char* const* argv) {
  return argc > 1 && std::string_view{argv[1]} == "host-cleanup";
}

int run(int argc, const char* const* argv) {
  const auto command = parse_command_line(argc - 1, argv + 1);
  if (!command) {
    std::fputs(command.error().text.c_str(), command.error().code == 0 ? stdout : stderr);
    return command.error().code;
  }
  std::signal(SIGPIPE, SIG_IGN);
  ::umask(077);
  try {
    switch (command->mode) {
      case Mode::ByHand:
        return clean_by_hand(*command);
      case Mode::HandOver:
        return hand_over(*command);
      case Mode::Run:
        return run_unit(*command);
    }
  } catch (const std::exception& error) {
    // Something that the system has to give, such as a file descriptor.
    std::fprintf(stderr, "noderemoval host-cleanup: %s\n", error.what());
  }
  return kFailedExit;
}

}  // namespace host_cleanup
