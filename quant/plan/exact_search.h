// SPDX-License-Identifier: MIT
// The plan of least loss under both limits, when the loss is a sum of one term per
// tensor and width. Weights share the flash (a multiple-choice knapsack), tensors
// that are alive together share the RAM (dynamic programming over the layers).
#pragma once

#include <array>
#include <vector>

#include "quant/plan/rule_search.h"

namespace mcusim::plan {

inline constexpr std::array<uint8_t, 3> kWidths = {8, 4, 2};

// Loss of a width, [layer] and [tensor], in the order of kWidths.
struct Costs {
  std::vector<std::array<double, 3>> weights, tensors;
};

double total_cost(const Problem& problem, const Widths& widths, const Costs& costs);

// In per-layer mode every layer counts as integer-normalised, the larger of its
// two forms. Flash sums are exact while fewer than 2^17 of them compete.
Plan exact_search(const Problem& problem, const Limits& limits, Mode mode, const Costs& costs);

}  // namespace mcusim::plan
