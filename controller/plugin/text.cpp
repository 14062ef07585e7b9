#include "controller/plugin/text.hpp"

#include <algorithm>
#include <array>

namespace plugin {
namespace {

constexpr char32_t kInvalid = 0xFFFFFFFF;
constexpr std::string_view kCut = "...";

struct Range {
  char32_t first;
  char32_t last;
};

/// Characters that are two columns wide in terminals.
constexpr std::array kWide{Range{0x1100, 0x115F}, Range{0x2E80, 0xA4CF},   Range{0xAC00, 0xD7A3},
                           Range{0xF900, 0xFAFF}, Range{0xFE30, 0xFE6F},   Range{0xFF00, 0xFF60},
                           Range{0xFFE0, 0xFFE6}, Range{0x1F300, 0x1FAFF}, Range{0x20000, 0x3FFFD}};
/// Control characters, those without a width, and those that turn the direction of writing.
constexpr std::array kHarmful{
    Range{0x00, 0x1F},         Range{0x7F, 0x9F},     Range{0xAD, 0xAD},
    Range{0x300, 0x36F},       Range{0x483, 0x489},   Range{0x61C, 0x61C},
    Range{0x180E, 0x180E},     Range{0x200B, 0x200F}, Range{0x2028, 0x202E},
    Range{0x2060, 0x206F},     Range{0x20D0, 0x20FF}, Range{0xD800, 0xF8FF},
    Range{0xFE00, 0xFE0F},     Range{0xFEFF, 0xFEFF}, Range{0xFFF0, 0xFFFF},
    Range{0xE0000, 0xFFFFFFFF}};

template <std::size_t N>
bool is_in(const std::array<Range, N>& ranges, char32_t c) {
  return std::ranges::any_of(ranges, [c](Range each) { return each.first <= c && c <= each.last; });
}

/// Takes one character off the front; kInvalid, and one byte, for what is no UTF-8.
char32_t take(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(0);
  const std::size_t length = first < 0x80   ? 1
                             : first < 0xC2 ? 0
                             : first < 0xE0 ? 2
                             : first < 0xF0 ? 3
                             : first < 0xF5 ? 4
                                            : 0;
  char32_t c = length == 1 ? first : first & (0x7FU >> length);
  bool valid = length != 0 && length <= text.size();
  for (std::size_t i = 1; valid && i < length; ++i) {
    valid = (byte(i) & 0xC0U) == 0x80U;
    c = c << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  valid = valid && c >= kSmallest[length] && c <= 0x10FFFF;
  text.remove_prefix(valid ? length : 1);
  return valid ? c : kInvalid;
}

std::size_t width_of(char32_t c) { return is_in(kWide, c) ? 2 : 1; }

/// As many bytes of `text` as fit.
std::size_t prefix(std::string_view text, std::size_t width) {
  auto rest = text;
  while (!rest.empty()) {
    const auto before = rest.size();
    const auto needed = width_of(take(rest));
    if (needed > width) return text.size() - before;
    width -= needed;
  }
  return text.size();
}

}  // namespace

std::string clean(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto start = text;
    const auto c = take(text);
    if (c == '\n' || c == '\t' || c == '\r') {
      out += ' ';
    } else if (is_in(kHarmful, c)) {
      out += '?';
    } else {
      out += start.substr(0, start.size() - text.size());
    }
  }
  return out;
}

std::size_t cells(std::string_view text) {
  std::size_t result = 0;
  while (!text.empty()) result += width_of(take(text));
  return result;
}

std::string cut(const std::string& text, std::size_t width) {
  if (cells(text) <= width) return text;
  if (width <= kCut.size()) return std::string{kCut.substr(0, width)};
  return text.substr(0, prefix(text, width - kCut.size())) + std::string{kCut};
}

std::string pad(const std::string& text, std::size_t width) {
  const auto used = cells(text);
  return used <= width ? text + std::string(width - used, ' ') : cut(text, width);
}

std::vector<std::string> wrap(const std::string& text, std::size_t width) {
  std::vector<std::string> lines;
  std::string_view rest{text};
  while (!rest.empty()) {
    auto end = prefix(rest, std::max<std::size_t>(width, 2));
    auto next = end;
    if (end < rest.size()) {
      const auto space = rest.rfind(' ', end);
      if (space != std::string_view::npos && space > 0) {
        end = space;
        next = space + 1;
      }
    }
    lines.emplace_back(rest.substr(0, end));
    rest.remove_prefix(next);
  }
  return lines;
}

std::string ascii(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto c = take(text);
    out += c < 0x80 ? static_cast<char>(c) : '?';
  }
  return out;
}

}  // namespace plugin
