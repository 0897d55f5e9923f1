// SPDX-License-Identifier: MIT
// The report's pictures as SVG: one function and one row of chart_makers() each.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "sim/report/report.h"

namespace mcusim::report {

struct Chart {
  std::string id, title, caption, svg;   // svg is "" when the run has no data for it
};

Chart layers_chart(const Run& run);      // cycles by layer, stall causes stacked
Chart functions_chart(const Run& run);   // the same of the costliest functions
Chart roofline_chart(const Run& run);    // MAC/cycle against MAC/byte, under both roofs
Chart memory_chart(const Run& run);      // the board's memories and what fills them
Chart arena_chart(const Run& run);       // what lives where, operator by operator
Chart ram_plan_chart(const Run& run);    // live activations before and after the bit plan
Chart flash_plan_chart(const Run& run);  // weights before and after the bit plan

using ChartMaker = Chart (*)(const Run&);
std::span<const ChartMaker> chart_makers();    // in page order
std::vector<Chart> charts(const Run& run);     // those with data
// A chart as a file of its own: follows the reader's light or dark scheme.
std::string standalone_svg(const Chart& chart);

const char* cause_colour(Cause cause);         // "#3b76b8"

}  // namespace mcusim::report
