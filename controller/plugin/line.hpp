#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace plugin {

enum class Color { Plain, Good, Bad, Warning, Dim, Bold };

/// A piece of a line. Text from the cluster has to be clean()ed before.
struct Span {
  std::string text;
  Color color = Color::Plain;
};

using Line = std::vector<Span>;

/// How a terminal, or what stands in for one, shows text.
struct Look {
  bool color = false;
  bool utf8 = true;        ///< otherwise nothing but ASCII is shown
  std::size_t width = 80;  ///< lines are cut to it; 0: never
};

/// Without a line break.
std::string render(const Line& line, const Look& look);
/// Each with a line break.
std::string render(const std::vector<Line>& lines, const Look& look);

}  // namespace plugin
