// SPDX-License-Identifier: MIT
// Cycles as horizontal bars, one per layer or function, with the causes stacked.
#include <fmt/format.h>

#include <algorithm>

#include "sim/report/charts.h"
#include "sim/report/numbers.h"
#include "sim/report/svg.h"

namespace mcusim::report {
namespace {

constexpr double kRow = 21, kLegendRow = 19;

struct Bar {
  std::string label, detail;   // "3 conv_pw_1", "8/4/4"
  uint64_t cycles = 0;
  const CauseCycles* causes = nullptr;
};

// Causes that occur, in list order.
std::vector<Cause> occurring(const Run& run) {
  std::vector<Cause> out;
  for (size_t i = 0; i < kCauseCount; ++i)
    if (run.causes[i]) out.push_back(static_cast<Cause>(i));
  return out;
}

// Draws the legend and returns the height it took.
double legend(const Run& run, const std::vector<Cause>& causes, std::string& out) {
  double x = 0, y = 0;
  for (Cause cause : causes) {
    const uint64_t cycles = run.causes[static_cast<size_t>(cause)];
    const bool visible = share(cycles, run.cycles) >= 0.0005;
    const std::string words = fmt::format("{} {}", cause_name(cause), visible ? percent(cycles, run.cycles) : "<0.1%");
    const double width = 38 + kCharacterWidth * static_cast<double>(words.size());
    if (x + width > kChartWidth) x = 0, y += kLegendRow;
    out += mark(fmt::format("{}: {} cycles of the run, {}", cause_name(cause), grouped(cycles), percent(cycles, run.cycles)),
                rectangle(x, y + 1, 12, 12, cause_colour(cause), "rx=\"2\"") + text(x + 17, y + 11, words));
    x += width;
  }
  return y + kLegendRow + 8;
}

std::string stacked(const Run& run, const std::vector<Bar>& bars, const std::string& title, const char* kind) {
  uint64_t longest = 1;
  size_t characters = 0;
  bool details = false;
  for (const auto& bar : bars) {
    longest = std::max(longest, bar.cycles);
    characters = std::max(characters, bar.label.size());
    details |= !bar.detail.empty();
  }
  const size_t label_length = std::min<size_t>(characters, 50);
  const double detail_width = details ? 44 : 0;
  const double left = kCharacterWidth * static_cast<double>(label_length) + detail_width + 14;
  const double room = kChartWidth - left - 130;
  const auto causes = occurring(run);
  std::string body;
  const double top = legend(run, causes, body) + 14;
  const double bottom = top + kRow * static_cast<double>(bars.size());
  for (uint64_t tick : ticks(longest, 6)) {
    if (tick > longest) break;
    const double x = left + room * share(tick, longest);
    body += line(x, top - 2, x, bottom) + text(x, top - 6, short_count(tick), Anchor::middle, kFaint, 11);
  }
  double y = top;
  for (const auto& bar : bars) {
    std::string row = text(left - detail_width - 6, y + 14, clipped(bar.label, label_length), Anchor::end);
    if (!bar.detail.empty()) row += text(left - 6, y + 14, bar.detail, Anchor::end, kFaint, 11);
    std::string words = fmt::format("{}{}: {} cycles, {} of the run", bar.label,
                                    bar.detail.empty() ? "" : " (" + bar.detail + " bits)", grouped(bar.cycles),
                                    percent(bar.cycles, run.cycles));
    double x = left;
    for (Cause cause : causes) {
      const uint64_t cycles = (*bar.causes)[static_cast<size_t>(cause)];
      if (cycles == 0) continue;
      const double width = room * share(cycles, longest);
      row += rectangle(x, y + 3, width, kRow - 6, cause_colour(cause),
                       fmt::format("data-cause=\"{}\" data-cycles=\"{}\"", cause_name(cause), cycles));
      words += fmt::format("\n{}: {} ({})", cause_name(cause), grouped(cycles), percent(cycles, bar.cycles));
      x += width;
    }
    row += text(x + 6, y + 14, fmt::format("{} ({})", grouped(bar.cycles), percent(bar.cycles, run.cycles)), Anchor::start, kInk, 11);
    body += mark(words, row, fmt::format("data-{}=\"{}\" data-cycles=\"{}\"", kind, html_escape(bar.label), bar.cycles));
    y += kRow;
  }
  return open_svg(bottom + 6, title) + body + close_svg();
}

}  // namespace

Chart layers_chart(const Run& run) {
  Chart chart{"layers", "Cycles by layer",
              "Bar length is cycles, colours are their causes: every cycle has exactly one. Beside the names: bits of "
              "input, weights and output.", ""};
  if (run.layers.empty() || run.cycles == 0) return chart;
  std::vector<Bar> bars;
  for (const auto& layer : run.layers) bars.push_back({row_name(layer), widths(layer), layer.cycles, &layer.causes});
  chart.svg = stacked(run, bars, chart.title, "layer");
  return chart;
}

Chart functions_chart(const Run& run) {
  constexpr size_t kMost = 10;
  Chart chart{"functions", "Costliest functions", "Cycles spent in the function itself, without those it calls.", ""};
  if (run.functions.empty() || run.cycles == 0) return chart;
  std::vector<Bar> bars;
  for (size_t i = 0; i < std::min(kMost, run.functions.size()); ++i)
    bars.push_back({short_function(run.functions[i].name), "", run.functions[i].cycles, &run.functions[i].causes});
  chart.svg = stacked(run, bars, chart.title, "function");
  return chart;
}

}  // namespace mcusim::report
