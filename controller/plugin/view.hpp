#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "controller/plugin/line.hpp"
#include "controller/plugin/terminal.hpp"
#include "crd/node_removal.hpp"

namespace plugin {

/// Where a removal is shown while it is followed. Shows nothing itself.
class View {
 public:
  virtual ~View() = default;
  /// Called once a second, and soon after each change. `trouble`: why nothing is heard of the
  /// cluster; usually empty.
  virtual void show(const crd::NodeRemoval& /*removal*/, crd::TimePoint /*now*/,
                    const std::string& /*trouble*/) {}
  /// The process is about to be stopped by the terminal; and has gone on.
  virtual void pause() {}
  virtual void go_on() {}
};

/// The tree on a screen of its own, cut to the window.
class ScreenView final : public View {
 public:
  explicit ScreenView(ColorWhen color) : color_(color) {}
  void show(const crd::NodeRemoval& removal, crd::TimePoint now,
            const std::string& trouble) override;
  void pause() override { screen_.leave(); }
  void go_on() override { screen_.enter(); }

 private:
  ColorWhen color_;
  AlternateScreen screen_;
};

/// A line for each change, beginning with the time; without a change, the same line every minute.
class LineView final : public View {
 public:
  void show(const crd::NodeRemoval& removal, crd::TimePoint now,
            const std::string& trouble) override;
  /// The line to print now; empty: none.
  std::string line(const crd::NodeRemoval& removal, crd::TimePoint now, const std::string& trouble);

 private:
  std::string last_;
  crd::TimePoint last_time_{};
};

/// The one that fits standard output.
std::unique_ptr<View> make_view(ColorWhen color);

}  // namespace plugin
