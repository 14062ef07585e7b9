#include "controller/plugin/terminal.hpp"

#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace plugin {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : value;
}

bool is_dumb() {
  const auto term = environment("TERM");
  return term.empty() || term == "dumb";
}

void write(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

WindowSize window_size() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return {.columns = size.ws_col, .lines = size.ws_row};
}

bool is_screen() { return ::isatty(STDOUT_FILENO) != 0 && !is_dumb(); }

Look look_of_output(ColorWhen color) {
  // Without a locale (LANG=C) UTF-8 would be shown as bytes.
  const bool utf8 = std::string_view{::nl_langinfo(CODESET)} == "UTF-8";
  const bool wanted = is_screen() && environment("NO_COLOR").empty();
  return {.color = color == ColorWhen::Always || (color == ColorWhen::Auto && wanted),
          .utf8 = utf8,
          .width = window_size().columns};
}

void AlternateScreen::enter() {
  if (entered_) return;
  entered_ = true;
  // The cursor is hidden, and long lines are not broken by the terminal.
  write("\x1b[?1049h\x1b[?25l\x1b[?7l");
}

void AlternateScreen::leave() {
  if (!entered_) return;
  entered_ = false;
  write("\x1b[?7h\x1b[?25h\x1b[?1049l");
}

void AlternateScreen::draw(const std::vector<std::string>& lines) {
  std::string out = "\x1b[H";
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += "\r\n";
    out += lines[i] + "\x1b[K";
  }
  write(out + "\x1b[J");
}

}  // namespace plugin
