// SPDX-License-Identifier: MIT
#include "quant/search/plot.h"

#include <fmt/format.h>

#include <algorithm>

namespace mcusim::search {
namespace {

constexpr double kWidth = 760, kHeight = 380, kLeft = 60, kRight = 150, kTop = 36, kBottom = 44;

std::string escaped(const std::string& text) {
  std::string result;
  for (const char c : text)
    result += c == '<' ? "&lt;" : c == '&' ? "&amp;" : std::string(1, c);
  return result;
}

}  // namespace

std::string plot(const SearchResult& result, const std::string& title,
                 const std::vector<std::pair<std::string, double>>& levels) {
  // The worst tenth of the episodes may lie below the picture.
  std::vector<double> rewards;
  for (const auto& episode : result.episodes) rewards.push_back(episode.reward);
  auto sorted = rewards;
  std::sort(sorted.begin(), sorted.end());
  double low = sorted[sorted.size() / 10], high = sorted.back();
  for (const auto& level : levels) {
    low = std::min(low, level.second);
    high = std::max(high, level.second);
  }
  const double margin = std::max(1e-9, (high - low) * 0.08);
  low -= margin;
  high += margin;
  const double count = static_cast<double>(rewards.size());
  const auto x = [&](double episode) {
    return kLeft + (kWidth - kLeft - kRight) * episode / std::max(1.0, count - 1);
  };
  const auto y = [&](double reward) {
    return kHeight - kBottom -
           (kHeight - kTop - kBottom) * (std::max(reward, low) - low) / (high - low);
  };

  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"{0}\" height=\"{1}\" "
      "fill=\"white\"/>\n<text x=\"{2}\" y=\"22\" font-size=\"14\">{3}</text>\n",
      kWidth, kHeight, kLeft, escaped(title));
  for (int i = 0; i <= 4; ++i) {
    const double value = low + (high - low) * i / 4;
    svg += fmt::format("<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#ddd\"/>"
                       "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:.3g}</text>\n",
                       kLeft, kWidth - kRight, y(value), kLeft - 6, y(value) + 4, value);
  }
  for (int i = 0; i <= 4; ++i)
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.0f}</text>\n",
                       x((count - 1) * i / 4), kHeight - kBottom + 18, 1 + (count - 1) * i / 4);
  svg += fmt::format("<text x=\"{}\" y=\"{}\">episode</text>\n<text x=\"8\" y=\"{}\">reward</text>\n",
                     kLeft, kHeight - 8, kTop - 4);
  std::string line;
  double best = rewards[0];
  for (size_t i = 0; i < rewards.size(); ++i) {
    const auto at = static_cast<double>(i);
    best = std::max(best, rewards[i]);
    line += fmt::format("{:.1f},{:.1f} ", x(at), y(best));
    svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2\" fill=\"#8aa\"/>\n", x(at),
                       y(rewards[i]));
  }
  svg += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"#05a\" stroke-width=\"2\"/>\n"
                     "<text x=\"{}\" y=\"{:.1f}\" fill=\"#05a\">best so far</text>\n",
                     line, kWidth - kRight + 6, y(best) + 4);
  for (const auto& [name, value] : levels)
    svg += fmt::format("<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#a50\" "
                       "stroke-dasharray=\"5 3\"/><text x=\"{3}\" y=\"{4:.1f}\" fill=\"#a50\">{5}</text>\n",
                       kLeft, kWidth - kRight, y(value), kWidth - kRight + 6, y(value) + 16,
                       escaped(name));
  return svg + "</svg>\n";
}

}  // namespace mcusim::search
