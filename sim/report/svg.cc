// SPDX-License-Identifier: MIT
#include "sim/report/svg.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace mcusim::report {
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

std::string open_svg(double height, const std::string& title) {
  return fmt::format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
                     "role=\"img\" aria-label=\"{2}\" font-family=\"system-ui,sans-serif\" font-size=\"12\">\n",
                     kChartWidth, height, html_escape(title));
}

std::string close_svg() { return "</svg>\n"; }

std::string text(double x, double y, const std::string& words, Anchor anchor, const char* fill, double size_px) {
  static constexpr const char* kAnchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
  const std::string size = size_px == 12 ? "" : fmt::format(" font-size=\"{}\"", size_px);
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{}{} fill=\"{}\">{}</text>\n", x, y,
                     kAnchors[static_cast<size_t>(anchor)], size, fill, html_escape(words));
}

std::string line(double x1, double y1, double x2, double y2, const char* stroke, const char* dash) {
  const std::string dashes = *dash ? fmt::format(" stroke-dasharray=\"{}\"", dash) : "";
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\"{}/>\n", x1, y1, x2, y2,
                     stroke, dashes);
}

std::string rectangle(double x, double y, double w, double h, const std::string& fill, const std::string& attributes) {
  return fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" fill=\"{}\"{}{}/>", x, y,
                     std::max(w, 0.0), std::max(h, 0.0), fill, attributes.empty() ? "" : " ", attributes);
}

std::string mark(const std::string& words, const std::string& body, const std::string& data) {
  return fmt::format("<g class=\"mark\"{}{}><title>{}</title>{}</g>\n", data.empty() ? "" : " ", data,
                     html_escape(words), body);
}

std::vector<uint64_t> ticks(uint64_t most, int count, bool is_bytes) {
  // Steps of 1, 2, 5 times a power of ten; of bytes, powers of two.
  const double wanted = std::max(1.0, static_cast<double>(most) / count);
  double step = std::pow(is_bytes ? 2 : 10, std::floor(is_bytes ? std::log2(wanted) : std::log10(wanted)));
  if (is_bytes) step = step < wanted ? step * 2 : step;
  else step *= wanted <= step ? 1 : wanted <= 2 * step ? 2 : wanted <= 5 * step ? 5 : 10;
  std::vector<uint64_t> out = {0};
  // At most so many: sums of hostile reports may wrap.
  while (out.back() < most && out.size() <= 4 * static_cast<size_t>(count)) out.push_back(out.back() + static_cast<uint64_t>(std::max(1.0, step)));
  return out;
}

std::vector<double> log_ticks(double least, double most) {
  std::vector<double> out;
  for (int decade = -6; decade <= 6; ++decade)
    for (double step : {1.0, 2.0, 5.0}) {
      const double value = step * std::pow(10, decade);
      if (value >= least * 0.999 && value <= most * 1.001) out.push_back(value);
    }
  return out;
}

std::string column_axis(double left, double width, double y, const std::vector<std::string>& labels, const std::string& title) {
  std::string out = line(left, y, left + width, y);
  size_t longest = 1;
  for (const auto& label : labels) longest = std::max(longest, label.size());
  const double column = width / static_cast<double>(std::max<size_t>(1, labels.size()));
  const auto every = static_cast<size_t>(std::max(1.0, std::ceil((4 + kCharacterWidth * static_cast<double>(longest)) / column)));
  for (size_t i = 0; i < labels.size(); i += every)
    out += text(left + column * (static_cast<double>(i) + 0.5), y + 15, labels[i], Anchor::middle, kFaint, 11);
  return out + text(left + width / 2, y + 31, title, Anchor::middle, kFaint);
}

}  // namespace mcusim::report
