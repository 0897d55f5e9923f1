// SPDX-License-Identifier: MIT
// One self-contained HTML page and a Markdown comment out of a run report.
#pragma once

#include <string>
#include <vector>

#include "sim/report/charts.h"

namespace mcusim::report {

std::vector<Chart> charts(const Run& run);     // those with data, in page order
std::string to_html(const Run& run);
std::string to_markdown(const Run& run);

}  // namespace mcusim::report
