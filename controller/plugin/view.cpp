#include "controller/plugin/view.hpp"

#include <cstdio>
#include <utility>
#include <vector>

#include "controller/plugin/removal_tree.hpp"
#include "controller/plugin/removal_words.hpp"
#include "controller/plugin/text.hpp"

namespace plugin {
namespace {

constexpr std::chrono::minutes kHeartbeat{1};

}  // namespace

void ScreenView::show(const crd::NodeRemoval& removal, crd::TimePoint now,
                      const std::string& trouble) {
  auto look = look_of_output(color_);
  const auto window = window_size();
  // In the last column the cursor stays on the character, and erasing the rest of the line takes
  // it.
  if (look.width > 1) --look.width;
  std::vector<Line> footer;
  if (!trouble.empty()) footer.push_back({{"No news: " + clean(trouble), Color::Bad}});
  footer.push_back(
      {{"ctrl-c stops watching, not the removal.  Cancel: kubectl noderemoval cancel " +
            clean(removal.meta.name),
        Color::Dim}});
  const auto room = window.lines > footer.size() ? window.lines - footer.size() : 1;
  auto lines = removal_tree(removal, now, look, room);
  lines.insert(lines.end(), footer.begin(), footer.end());
  std::vector<std::string> texts;
  texts.reserve(lines.size());
  for (const auto& line : lines) texts.push_back(render(line, look));
  screen_.draw(texts);
}

std::string LineView::line(const crd::NodeRemoval& removal, crd::TimePoint now,
                           const std::string& trouble) {
  auto text = trouble.empty() ? change_line(removal)
                              : clean(removal.meta.name) + " no news: " + clean(trouble);
  if (text == last_ && now - last_time_ < kHeartbeat) return {};
  last_ = std::move(text);
  last_time_ = now;
  return crd::to_rfc3339(now) + " " + last_;
}

void LineView::show(const crd::NodeRemoval& removal, crd::TimePoint now,
                    const std::string& trouble) {
  const auto text = line(removal, now, trouble);
  if (text.empty()) return;
  std::printf("%s\n", text.c_str());
  std::fflush(stdout);
}

std::unique_ptr<View> make_view(ColorWhen color) {
  if (is_screen()) return std::make_unique<ScreenView>(color);
  return std::make_unique<LineView>();
}

}  // namespace plugin
