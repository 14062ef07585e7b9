#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "controller/plugin/command_line.hpp"
#include "controller/plugin/line.hpp"

namespace plugin {

/// Columns and lines of the terminal at standard output; 0 when it is none, or does not say.
struct WindowSize {
  std::size_t columns = 0;
  std::size_t lines = 0;
};
WindowSize window_size();

/// Whether standard output can show a picture that changes.
bool is_screen();

/// How standard output shows text, by its kind, the environment and the flag.
Look look_of_output(ColorWhen color);

/// The other screen of the terminal, while it is entered. What was on the terminal before comes
/// back when it is left.
class AlternateScreen {
 public:
  AlternateScreen() { enter(); }
  AlternateScreen(const AlternateScreen&) = delete;
  AlternateScreen& operator=(const AlternateScreen&) = delete;
  ~AlternateScreen() { leave(); }

  void enter();
  void leave();
  /// The lines, from the top, in place of what was shown.
  void draw(const std::vector<std::string>& lines);

 private:
  bool entered_ = false;
};

}  // namespace plugin
