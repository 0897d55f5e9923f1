// SPDX-License-Identifier: MIT
// A bit plan as JSON, to be edited or made elsewhere:
//   {"layers": [{"name": "L3", "weights": 8, "output": 4}, ...]}
// Layers and fields that are not named stay at 8 bits; unknown names are errors.
#pragma once

#include <string>

#include "quant/plan/problem.h"

namespace mcusim::plan {

Widths parse_bits(const Problem& problem, const std::string& json_text, const std::string& name);
std::string format_bits(const Problem& problem, const Widths& widths);

}  // namespace mcusim::plan
