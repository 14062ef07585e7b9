#include "controller/plugin/line.hpp"

#include <string_view>

#include "controller/plugin/text.hpp"

namespace plugin {
namespace {

std::string_view code_of(Color color) {
  switch (color) {
    case Color::Good:
      return "\x1b[32m";
    case Color::Bad:
      return "\x1b[31m";
    case Color::Warning:
      return "\x1b[33m";
    case Color::Dim:
      return "\x1b[2m";
    case Color::Bold:
      return "\x1b[1m";
    case Color::Plain:
      break;
  }
  return {};
}

}  // namespace

std::string render(const Line& line, const Look& look) {
  std::string out;
  std::size_t total = 0;
  for (const auto& span : line) total += cells(span.text);
  const bool too_long = look.width != 0 && total > look.width;
  auto room = too_long ? look.width : total;
  for (const auto& span : line) {
    // The last span that is shown has the mark that something is missing.
    const auto width = cells(span.text);
    const bool last = too_long && room <= width;
    auto text = last ? cut(span.text + (width == room ? "    " : ""), room) : span.text;
    if (!look.utf8) text = ascii(text);
    if (text.empty()) continue;
    const auto code = look.color ? code_of(span.color) : std::string_view{};
    out += code;
    out += text;
    if (!code.empty()) out += "\x1b[0m";
    if (last) break;
    room -= width;
  }
  const auto end = out.find_last_not_of(' ');
  out.resize(end == std::string::npos ? 0 : end + 1);
  return out;
}

std::string render(const std::vector<Line>& lines, const Look& look) {
  std::string out;
  for (const auto& line : lines) out += render(line, look) + "\n";
  return out;
}

}  // namespace plugin
