// SPDX-License-Identifier: MIT
// What each width costs: the noise that one narrow tensor alone adds to the
// network's outputs, all others at 8 bits.
#pragma once

#include <functional>

#include "quant/plan/exact_search.h"
#include "quant/quantise/compare.h"
#include "quant/quantise/convert.h"

namespace mcusim::quantise {

// Losses are noise power over signal power at the outputs, above that of the 8-bit
// network, over the samples. `progress` sees finished and all measurements.
plan::Costs measure_costs(const graph::Graph& graph, const graph::LayerGraph& layers,
                          const plan::Problem& problem, const std::vector<Distribution>& values,
                          const ConvertOptions& options, const std::vector<Sample>& samples,
                          const std::function<void(size_t, size_t)>& progress = {});

}  // namespace mcusim::quantise
