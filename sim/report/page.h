// SPDX-License-Identifier: MIT
// One self-contained HTML page and a Markdown comment out of a run report.
#pragma once

#include <string>
#include <vector>

#include "sim/report/charts.h"

namespace mcusim::report {

// The program came to the end that was meant (a replay does not know), and a verify that was
// asked agreed.
bool ended_well(const Run& run);

std::string to_html(const Run& run);
std::string to_markdown(const Run& run);

}  // namespace mcusim::report
