// SPDX-License-Identifier: MIT
// The report's pictures as stand-alone SVG. Colours are CSS variables with light
// fallbacks, so the page can switch them; every mark carries a <title> for
// pointers and screen readers.
#pragma once

#include <string>

#include "sim/report/report.h"

namespace mcusim::report {

struct Chart {
  std::string id, title, caption, svg;   // svg is "" when the run has no data for it
};

Chart layers_chart(const Run& run);      // cycles by layer, stall causes stacked
Chart roofline_chart(const Run& run);    // MAC/cycle against MAC/byte
Chart memory_chart(const Run& run);      // peaks against limits
Chart arena_chart(const Run& run);       // what lives where, operator by operator

std::string html_escape(const std::string& text);
const char* cause_colour(Cause cause);   // "#4477aa", distinguishable without hue as well as can be

}  // namespace mcusim::report
