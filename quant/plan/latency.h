// SPDX-License-Identifier: MIT
// Cycles as the cost of a width, from reports of `mcusim run --json`: one of the
// network at 8 bits, and one each with all weights, or all activations, narrower.
#pragma once

#include <string>
#include <vector>

#include "quant/plan/exact_search.h"

namespace mcusim::plan {

struct RunReport {
  std::string name;       // for messages
  std::string json_text;  // docs/report_schema.md
};

// A layer's extra cycles over 8 bits: those of narrow weights to its weights, those
// of narrow activations by halves to its input and output. Costs are cycles and may
// be negative. Widths that no report shows cannot be judged and are left out: their
// cost is infinite. Throws Error when a layer has no row at 8 bits.
Costs latency_costs(const Problem& problem, const std::vector<RunReport>& reports);

}  // namespace mcusim::plan
