// SPDX-License-Identifier: MIT
#include "sim/report/charts.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mcusim::report {
namespace {

constexpr int kWidth = 860, kLabel = 230, kRow = 20;

double share(uint64_t part, uint64_t whole) {
  return whole ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::string open_svg(int height, const std::string& title) {
  return fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" width=\"{}\" height=\"{}\" "
                     "role=\"img\" aria-label=\"{}\" font-family=\"sans-serif\" font-size=\"12\">\n",
                     kWidth, height, kWidth, height, html_escape(title));
}

std::string text(double x, double y, const std::string& words, const char* anchor = "start") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\" fill=\"var(--ink,#222)\">{}</text>\n",
                     x, y, anchor, html_escape(words));
}

std::string rectangle(double x, double y, double w, double h, const std::string& fill, const std::string& title) {
  return fmt::format("<rect x=\"{:.2f}\" y=\"{:.1f}\" width=\"{:.2f}\" height=\"{:.1f}\" fill=\"{}\"><title>{}</title></rect>\n",
                     x, y, std::max(w, 0.0), h, fill, html_escape(title));
}

std::string line(double x1, double y1, double x2, double y2, const char* dash = "") {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"var(--rule,#999)\" "
                     "stroke-dasharray=\"{}\"/>\n", x1, y1, x2, y2, dash);
}

std::string clipped(const std::string& words, size_t length) {
  return words.size() <= length ? words : words.substr(0, length - 2) + "..";
}

std::string row_name(const Layer& layer) {
  return layer.op_index < 0 ? layer.name : fmt::format("{} {}", layer.layer_id, layer.name);
}

// Causes that occur, in list order.
std::vector<Cause> occurring(const Run& run) {
  std::vector<Cause> out;
  for (size_t i = 0; i < kCauseCount; ++i)
    if (run.causes[i]) out.push_back(static_cast<Cause>(i));
  return out;
}

std::string legend(const std::vector<Cause>& causes, int y) {
  std::string out;
  int x = 0;
  for (Cause cause : causes) {
    const int width = 24 + 7 * static_cast<int>(std::string(cause_name(cause)).size());
    if (x + width > kWidth) {
      x = 0;
      y += kRow;
    }
    out += rectangle(x, y, 12, 12, cause_colour(cause), cause_name(cause));
    out += text(x + 16, y + 10, cause_name(cause));
    x += width;
  }
  return out;
}

int legend_height(const std::vector<Cause>& causes) {
  int x = 0, rows = 1;
  for (Cause cause : causes) {
    const int width = 24 + 7 * static_cast<int>(std::string(cause_name(cause)).size());
    if (x + width > kWidth) {
      x = 0;
      ++rows;
    }
    x += width;
  }
  return rows * kRow + 6;
}

}  // namespace

std::string html_escape(const std::string& words) {
  std::string out;
  for (char c : words) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

const char* cause_colour(Cause cause) {
  // Paul Tol's "bright" and "muted" schemes, chosen for colour-blind readers.
  static constexpr const char* kColours[] = {
      "#4477aa", "#ccbb44", "#ee6677", "#aa3377", "#332288", "#88ccee", "#bbbbbb", "#ddcc77",
      "#cc6677", "#228833", "#ee7733", "#cc3311", "#882255", "#44aa99", "#ee3377", "#999933",
      "#117733", "#0077bb", "#555555", "#66ccee", "#dddddd"};
  static_assert(sizeof kColours / sizeof *kColours == kCauseCount);
  return kColours[static_cast<size_t>(cause)];
}

Chart layers_chart(const Run& run) {
  Chart chart{"layers", "Cycles by layer", "Bar length is cycles; colours are the causes of law 1, issued first.", ""};
  if (run.layers.empty() || run.cycles == 0) return chart;
  const auto causes = occurring(run);
  const int top = legend_height(causes);
  const int height = top + static_cast<int>(run.layers.size()) * kRow + 4;
  uint64_t longest = 1;
  for (const auto& layer : run.layers) longest = std::max(longest, layer.cycles);
  chart.svg = open_svg(height, chart.title) + legend(causes, 0);
  const double room = kWidth - kLabel - 90;
  int y = top;
  for (const auto& layer : run.layers) {
    chart.svg += text(kLabel - 6, y + 13, clipped(row_name(layer), 32), "end");
    double x = kLabel;
    for (Cause cause : causes) {
      const uint64_t cycles = layer.causes[static_cast<size_t>(cause)];
      if (cycles == 0) continue;
      const double width = room * share(cycles, longest);
      chart.svg += rectangle(x, y + 2, width, kRow - 5, cause_colour(cause),
                             fmt::format("{}: {} {} cycles ({:.1f}%)", row_name(layer), cause_name(cause), cycles,
                                         100 * share(cycles, layer.cycles)));
      x += width;
    }
    chart.svg += text(x + 5, y + 13, fmt::format("{}", layer.cycles));
    y += kRow;
  }
  chart.svg += "</svg>\n";
  return chart;
}

Chart roofline_chart(const Run& run) {
  Chart chart{"roofline", "Roofline",
              "Each dot is a layer: MACs per cycle against MACs per byte moved by loads and stores. "
              "Roofs: 2 MAC per cycle (one SMLAD per cycle) and 8 bytes per cycle (two 32-bit load pipes).", ""};
  std::vector<const Layer*> dots;
  for (const auto& layer : run.layers)
    if (layer.macs && layer.cycles && layer.data_bytes) dots.push_back(&layer);
  if (dots.empty()) return chart;
  const double left = 60, right = kWidth - 20, top = 20, bottom = 320;
  // Decades: 0.01..10 MAC/cycle, 0.01..100 MAC/byte.
  auto x_of = [&](double v) { return left + (right - left) * (std::log10(std::clamp(v, 0.01, 100.0)) + 2) / 4; };
  auto y_of = [&](double v) { return bottom - (bottom - top) * (std::log10(std::clamp(v, 0.01, 10.0)) + 2) / 3; };
  chart.svg = open_svg(370, chart.title);
  for (double v : {0.01, 0.1, 1.0, 10.0})
    chart.svg += line(left, y_of(v), right, y_of(v), "2 4") + text(left - 6, y_of(v) + 4, fmt::format("{}", v), "end");
  for (double v : {0.01, 0.1, 1.0, 10.0, 100.0})
    chart.svg += line(x_of(v), top, x_of(v), bottom, "2 4") + text(x_of(v), bottom + 16, fmt::format("{}", v), "middle");
  chart.svg += text(left, top - 6, "MAC/cycle") + text(right, bottom + 34, "MAC/byte", "end");
  chart.svg += line(x_of(0.01), y_of(0.08), x_of(0.25), y_of(2)) + line(x_of(0.25), y_of(2), x_of(100), y_of(2));
  for (const Layer* layer : dots) {
    const double intensity = share(layer->macs, layer->data_bytes), rate = share(layer->macs, layer->cycles);
    chart.svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\" fill=\"#4477aa\" fill-opacity=\"0.7\">"
                             "<title>{}: {:.2f} MAC/cycle, {:.2f} MAC/byte</title></circle>\n",
                             x_of(intensity), y_of(rate), html_escape(row_name(*layer)), rate, intensity);
  }
  chart.svg += "</svg>\n";
  return chart;
}

Chart memory_chart(const Run& run) {
  Chart chart{"memory", "Memory peaks", "Measured peak against the limit of each use.", ""};
  if (run.memories.empty()) return chart;
  chart.svg = open_svg(static_cast<int>(run.memories.size()) * 26 + 4, chart.title);
  const double room = kWidth - kLabel - 220;
  int y = 0;
  for (const auto& memory : run.memories) {
    const double used = std::min(1.0, share(memory.peak_bytes, memory.limit_bytes));
    const std::string words = fmt::format("{} of {} B ({:.1f}%)", memory.peak_bytes, memory.limit_bytes,
                                          100 * share(memory.peak_bytes, memory.limit_bytes));
    chart.svg += text(kLabel - 6, y + 16, memory.region + " " + memory.use, "end");
    chart.svg += rectangle(kLabel, y + 4, room, 16, "var(--empty,#e4e4e4)", words);
    chart.svg += rectangle(kLabel, y + 4, room * used, 16, used > 0.9 ? "#cc3311" : "#4477aa", words);
    chart.svg += text(kLabel + room + 8, y + 16, words);
    y += 26;
  }
  chart.svg += "</svg>\n";
  return chart;
}

Chart arena_chart(const Run& run) {
  Chart chart{"arena", "Arena", "Operators run to the right, arena bytes upwards: where each tensor lives and for how long.", ""};
  if (run.arena.empty()) return chart;
  uint64_t bytes = 1;
  uint32_t ops = 1;
  for (const auto& slot : run.arena) {
    bytes = std::max(bytes, slot.offset_bytes + slot.size_bytes);
    ops = std::max(ops, slot.last_op + 1);
  }
  const double left = 80, bottom = 280, width = kWidth - left - 10, height = bottom - 20;
  chart.svg = open_svg(310, chart.title);
  const char* fills[] = {"#4477aa", "#66ccee", "#228833", "#ccbb44", "#ee6677", "#aa3377"};
  for (size_t i = 0; i < run.arena.size(); ++i) {
    const auto& slot = run.arena[i];
    const double x = left + width * slot.first_op / ops, w = width * (slot.last_op - slot.first_op + 1) / ops;
    const double h = height * share(slot.size_bytes, bytes);
    const double y = bottom - height * share(slot.offset_bytes, bytes) - h;
    chart.svg += rectangle(x, y, w, h, fills[i % std::size(fills)],
                           fmt::format("{}: bytes {} to {}, operators {} to {}", slot.tensor, slot.offset_bytes,
                                       slot.offset_bytes + slot.size_bytes, slot.first_op, slot.last_op));
  }
  chart.svg += line(left, bottom, left + width, bottom) + line(left, 20, left, bottom);
  chart.svg += text(left - 6, 26, fmt::format("{} B", bytes), "end") + text(left - 6, bottom, "0", "end");
  chart.svg += text(left, bottom + 18, "operator 0") + text(left + width, bottom + 18, fmt::format("{}", ops - 1), "end");
  chart.svg += "</svg>\n";
  return chart;
}

}  // namespace mcusim::report
