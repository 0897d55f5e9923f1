// SPDX-License-Identifier: MIT
// Roofline: what a layer reaches against what the core could do at its intensity.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "sim/report/charts.h"
#include "sim/report/numbers.h"
#include "sim/report/svg.h"

namespace mcusim::report {
namespace {

constexpr double kPeakMacs = 2;    // per cycle: one SMLAD, Arm ARM DDI 0403, one MAC unit
constexpr double kPeakBytes = 8;   // per cycle: two 32-bit loads, Cortex-M7 TRM DDI 0489
constexpr double kLeft = 56, kRight = kChartWidth - 16, kTop = 34, kBottom = 370;

// A logarithmic scale.
struct Axis {
  double low, high;
  double from, to;                 // px
  double at(double value) const { return from + (to - from) * std::log(value / low) / std::log(high / low); }
};

// A colour for each kind of operator, in order of appearance.
const char* colour_of(const std::string& op, std::vector<std::string>& seen) {
  static constexpr const char* kColours[] = {"#3b76b8", "#e9963e", "#2f9e77", "#c0325a", "#8e5bb5", "#8a5a1c"};
  auto found = std::find(seen.begin(), seen.end(), op);
  if (found == seen.end()) found = seen.insert(seen.end(), op);
  return kColours[static_cast<size_t>(found - seen.begin()) % std::size(kColours)];
}

std::string grid(const Axis& x, const Axis& y) {
  std::string out;
  for (double value : log_ticks(x.low, x.high))
    out += line(x.at(value), kTop, x.at(value), kBottom) +
           text(x.at(value), kBottom + 16, fmt::format("{:g}", value), Anchor::middle, kFaint, 11);
  for (double value : log_ticks(y.low, y.high))
    out += line(kLeft, y.at(value), kRight, y.at(value)) +
           text(kLeft - 6, y.at(value) + 4, fmt::format("{:g}", value), Anchor::end, kFaint, 11);
  return out + text(8, kTop - 20, "MAC per cycle", Anchor::start, kFaint) +
         text(kRight, kBottom + 34, "MAC per byte loaded or stored", Anchor::end, kFaint);
}

std::string roofs(const Axis& x, const Axis& y) {
  const double ridge = kPeakMacs / kPeakBytes;
  const double start = std::max(x.low, y.low / kPeakBytes);
  return line(x.at(start), y.at(start * kPeakBytes), x.at(ridge), y.at(kPeakMacs), kInk) +
         line(x.at(ridge), y.at(kPeakMacs), kRight, y.at(kPeakMacs), kInk) +
         text(kRight - 4, y.at(kPeakMacs) - 6, fmt::format("{:g} MAC per cycle", kPeakMacs), Anchor::end) +
         text(x.at(ridge) - 10, y.at(kPeakMacs) - 6, fmt::format("{:g} bytes per cycle", kPeakBytes), Anchor::end);
}

}  // namespace

Chart roofline_chart(const Run& run) {
  Chart chart{"roofline", "Roofline",
              "Each dot is a layer, its number the layer's: how many MACs it does per cycle against how many per byte "
              "that it loads or stores. Roofs: one SMLAD per cycle, two 32-bit loads per cycle.", ""};
  std::vector<const Layer*> dots;
  double least_x = 0.15, most_x = 1, least_y = 0.2;
  for (const auto& layer : run.layers) {
    if (!layer.macs || !layer.cycles || !layer.data_bytes) continue;
    dots.push_back(&layer);
    least_x = std::min(least_x, share(layer.macs, layer.data_bytes));
    most_x = std::max(most_x, share(layer.macs, layer.data_bytes));
    least_y = std::min(least_y, share(layer.macs, layer.cycles));
  }
  if (dots.empty()) return chart;
  const Axis x{0.8 * least_x, 1.4 * most_x, kLeft, kRight}, y{0.7 * least_y, 1.5 * kPeakMacs, kBottom, kTop};
  std::string body = grid(x, y) + roofs(x, y), labels;
  std::vector<std::string> kinds;
  std::vector<std::pair<double, double>> labelled;
  for (const Layer* layer : dots) {
    const double intensity = share(layer->macs, layer->data_bytes), rate = share(layer->macs, layer->cycles);
    const double px = x.at(intensity), py = y.at(rate);
    body += mark(fmt::format("{} ({} bits): {:.2f} MAC per cycle, {:.2f} MAC per byte, {:.2f} bytes per cycle",
                             row_name(*layer), widths(*layer), rate, intensity, share(layer->data_bytes, layer->cycles)),
                 fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5.5\" fill=\"{}\" fill-opacity=\"0.8\" stroke=\"{}\"/>",
                             px, py, colour_of(layer->op, kinds), kPaper),
                 fmt::format("data-op=\"{}\"", layer->op_index));
    // A number where no earlier one stands in its way.
    const bool free = std::none_of(labelled.begin(), labelled.end(), [&](const auto& at) {
      return std::abs(at.first - px) < 20 && std::abs(at.second - py) < 12;
    });
    if (!free) continue;
    labelled.emplace_back(px, py);
    labels += text(px + 8, py + 4, fmt::format("{}", layer->layer_id), Anchor::start, kInk, 11);
  }
  double at = kLeft + 140;
  for (const auto& kind : kinds) {
    body += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5.5\" fill=\"{}\"/>\n", at, kTop - 24, colour_of(kind, kinds)) +
            text(at + 10, kTop - 20, kind);
    at += 34 + kCharacterWidth * static_cast<double>(kind.size());
  }
  chart.svg = open_svg(kBottom + 44, chart.title) + body + labels + close_svg();
  return chart;
}

}  // namespace mcusim::report
