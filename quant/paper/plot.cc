// SPDX-License-Identifier: MIT
// Points and lines over two axes, as one SVG that reads in light and dark.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "memmap/base/error.h"
#include "quant/paper/artefact.h"

namespace mcusim::paper {
namespace {

constexpr double kWidth = 860, kHeight = 520, kLeft = 80, kRight = 20, kTop = 44, kBottom = 60;
constexpr double kCharacter = 6.2;  // of an 11 px sans-serif, on average

// Paul Tol's "bright" scheme: told apart with colour-vision deficiency too.
constexpr const char* kColours[] = {"#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb"};

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') out += "&amp;";
    else if (c == '<') out += "&lt;";
    else if (c == '>') out += "&gt;";
    else if (c == '"') out += "&quot;";
    else out += c;
  }
  return out;
}

// Maps data to pixels and knows where its ticks are.
class Axis {
 public:
  Axis(double low, double high, bool logarithmic, double from, double to)
      : log_(logarithmic), from_(from), to_(to) {
    if (log_) {
      check(low > 0, "a logarithmic axis has positive values only");
      low_ = std::floor(std::log10(low) * 10) / 10;
      high_ = std::ceil(std::log10(high) * 10) / 10;
      if (high_ - low_ < 0.5) high_ = low_ + 0.5;
    } else {
      const double margin = high > low ? 0.05 * (high - low) : std::max(1.0, std::fabs(low) * 0.1);
      low_ = low >= 0 ? std::max(0.0, low - margin) : low - margin;
      high_ = high + margin;
    }
  }

  double pixel(double value) const {
    const double v = log_ ? std::log10(value) : value;
    return from_ + (v - low_) / (high_ - low_) * (to_ - from_);
  }

  std::vector<double> ticks() const {
    std::vector<double> out;
    if (log_) {
      for (int decade = static_cast<int>(std::floor(low_)); decade <= high_; ++decade)
        for (const double step : {1.0, 2.0, 5.0})
          if (const double at = std::log10(step) + decade; at >= low_ - 1e-9 && at <= high_ + 1e-9)
            out.push_back(step * std::pow(10.0, decade));
      return out;
    }
    const double rough = (high_ - low_) / 6, decade = std::pow(10.0, std::floor(std::log10(rough)));
    double step = 10 * decade;
    for (const double factor : {5.0, 2.0, 1.0})
      if (factor * decade >= rough) step = factor * decade;
    for (double at = std::ceil(low_ / step) * step; at <= high_ + 1e-9 * step; at += step)
      out.push_back(std::fabs(at) < 1e-9 * step ? 0 : at);
    return out;
  }

 private:
  bool log_;
  double from_, to_, low_ = 0, high_ = 1;
};

struct Box {
  double x0, y0, x1, y1;
  bool meets(const Box& other) const { return x0 < other.x1 && other.x0 < x1 && y0 < other.y1 && other.y0 < y1; }
};

// Labels where they touch neither marks nor each other, of four places tried; a
// label without room is left to the point's tooltip.
class Labels {
 public:
  void block(double x, double y) { taken_.push_back({x - 6, y - 6, x + 6, y + 6}); }
  std::string place(double x, double y, const std::string& label) {
    const double width = kCharacter * static_cast<double>(label.size());
    const std::array<std::pair<double, double>, 4> places = {
        {{x + 9, y + 4}, {x - 9 - width, y + 4}, {x - width / 2, y - 9}, {x - width / 2, y + 19}}};
    for (const auto& [left, base] : places) {
      const Box box = {left, base - 10, left + width, base + 2};
      const bool inside = box.x0 > kLeft && box.x1 < kWidth - 2 && box.y0 > kTop && box.y1 < kHeight - kBottom;
      if (!inside || std::any_of(taken_.begin(), taken_.end(), [&](const Box& b) { return b.meets(box); })) continue;
      taken_.push_back(box);
      return fmt::format("<text class=\"ink\" font-size=\"11\" x=\"{:.1f}\" y=\"{:.1f}\">{}</text>\n", left, base,
                         escape(label));
    }
    return "";
  }

 private:
  std::vector<Box> taken_;
};

std::string tick_text(double value) {
  return std::fabs(value) >= 1e5 ? fmt::format("{:.0e}", value) : fmt::format("{:g}", value);
}

std::string frame(const Figure& figure, const Axis& x_axis, const Axis& y_axis) {
  const double bottom = kHeight - kBottom, right = kWidth - kRight;
  std::string out;
  for (const double tick : x_axis.ticks()) {
    const double x = x_axis.pixel(tick);
    out += fmt::format("<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2}\"/>"
                       "<text class=\"ink\" x=\"{0:.1f}\" y=\"{3}\" text-anchor=\"middle\">{4}</text>\n",
                       x, kTop, bottom, bottom + 17, tick_text(tick));
  }
  for (const double tick : y_axis.ticks()) {
    const double y = y_axis.pixel(tick);
    out += fmt::format("<line class=\"grid\" x1=\"{1}\" x2=\"{2}\" y1=\"{0:.1f}\" y2=\"{0:.1f}\"/>"
                       "<text class=\"ink\" x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
                       y, kLeft, right, kLeft - 6, y + 4, tick_text(tick));
  }
  out += fmt::format("<text class=\"ink\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", (kLeft + right) / 2,
                     kHeight - 18, escape(figure.x_title));
  out += fmt::format("<text class=\"ink\" transform=\"translate(18 {}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                     (kTop + bottom) / 2, escape(figure.y_title));
  return out;
}

}  // namespace

std::string to_svg(const Figure& figure) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  double x_low = kInfinity, x_high = -kInfinity, y_low = kInfinity, y_high = -kInfinity;
  for (const auto& series : figure.series)
    for (const auto& point : series.points) {
      x_low = std::min(x_low, point.x), x_high = std::max(x_high, point.x);
      y_low = std::min(y_low, point.y), y_high = std::max(y_high, point.y);
    }
  check(x_low <= x_high, "a figure has points");
  const Axis x_axis(x_low, x_high, figure.log_x, kLeft, kWidth - kRight);
  const Axis y_axis(y_low, y_high, figure.log_y, kHeight - kBottom, kTop);

  std::string marks, legend;
  Labels labels;
  double legend_x = kLeft;
  for (const auto& series : figure.series)
    for (const auto& point : series.points) labels.block(x_axis.pixel(point.x), y_axis.pixel(point.y));
  for (size_t s = 0; s < figure.series.size(); ++s) {
    const auto& series = figure.series[s];
    const char* colour = kColours[s % std::size(kColours)];
    legend += fmt::format("<circle cx=\"{:.1f}\" cy=\"22\" r=\"4\" fill=\"{}\"/><text class=\"ink\" x=\"{:.1f}\" "
                          "y=\"26\">{}</text>\n", legend_x + 4, colour, legend_x + 13, escape(series.name));
    legend_x += 30 + 7 * static_cast<double>(series.name.size());
    std::string path;
    for (const auto& point : series.points) {
      const double x = x_axis.pixel(point.x), y = y_axis.pixel(point.y);
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x, y);
      // Rings around discs: a point under another series' point stays visible.
      const double radius = series.line ? 2.5 : 4.0 + 2.5 * static_cast<double>(s);
      marks += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{}\" stroke=\"{}\" fill=\"{}\"><title>{}: {} {:g}, {} {:g}"
                           "</title></circle>\n", x, y, radius, colour, series.line || s == 0 ? colour : "none",
                           escape(point.label.empty() ? series.name : series.name + " " + point.label),
                           escape(figure.x_title), point.x, escape(figure.y_title), point.y);
      if (!point.label.empty()) marks += labels.place(x, y, point.label);
    }
    if (series.line)
      marks += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n", path, colour);
  }
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\" "
             "aria-label=\"{2}\" font-family=\"sans-serif\" font-size=\"12\">\n<style>.ink{{fill:#222}}"
             ".grid{{stroke:#ddd}}.paper{{fill:#fff}}@media(prefers-color-scheme:dark){{.ink{{fill:#ddd}}"
             ".grid{{stroke:#444}}.paper{{fill:#161616}}}}</style>\n<rect class=\"paper\" width=\"100%\" "
             "height=\"100%\"/>\n", kWidth, kHeight, escape(figure.title)) +
         frame(figure, x_axis, y_axis) + legend + marks + "</svg>\n";
}

}  // namespace mcusim::paper
