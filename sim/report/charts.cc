// SPDX-License-Identifier: MIT
#include "sim/report/charts.h"

namespace mcusim::report {

std::span<const ChartMaker> chart_makers() {
  static constexpr ChartMaker kMakers[] = {layers_chart, functions_chart, roofline_chart, memory_chart,
                                           arena_chart, ram_plan_chart, flash_plan_chart};
  return kMakers;
}

std::vector<Chart> charts(const Run& run) {
  std::vector<Chart> out;
  for (auto make : chart_makers())
    if (Chart chart = make(run); !chart.svg.empty()) out.push_back(std::move(chart));
  return out;
}

std::string standalone_svg(const Chart& chart) {
  constexpr const char* kSchemes =
      "<style>svg{--ink:#1f2328;--faint:#59636e;--rule:#d1d9e0;--empty:#eef1f4;--paper:#fff;background:var(--paper)}"
      "@media(prefers-color-scheme:dark){svg{--ink:#e6edf3;--faint:#9198a1;--rule:#3d444d;--empty:#262c36;--paper:#0d1117}}"
      "</style>\n";
  std::string out = chart.svg;
  return out.insert(out.find(">\n") + 2, kSchemes);
}

const char* cause_colour(Cause cause) {
  // By family: issue blue; pipeline yellow to brown; memory red to violet; control
  // green; exceptions and idling grey. Neighbours differ in lightness too.
  static constexpr const char* kColours[] = {
      "#3b76b8", "#f2c14e", "#e9963e", "#c9622a", "#8a5a1c", "#a39134", "#e3d8a0", "#c2ad3d", "#7f7a3a", "#8e5bb5",
      "#c0325a", "#e4738f", "#7d1d3f", "#b79ad6", "#2f9e77", "#86c06c", "#6b7280", "#9ca3af", "#4b5563", "#14808a",
      "#d1d5db"};
  static_assert(sizeof kColours / sizeof *kColours == kCauseCount);
  return kColours[static_cast<size_t>(cause)];
}

}  // namespace mcusim::report
