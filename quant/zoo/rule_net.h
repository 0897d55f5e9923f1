// SPDX-License-Identifier: MIT
// An integer network with rule-made weights over a structure and a bit plan. The
// requantisation of every layer is chosen from its accumulators on a seeded
// input, so that outputs use their range and seldom saturate: a network that
// collapses to constants would exercise nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/host/int_net.h"
#include "quant/plan/problem.h"

namespace mcusim::zoo {

// The stored values of the network input for `seed`, h*w*c.
std::vector<uint8_t> seeded_input(const IntNet& net, uint64_t seed);

// Not placed. `problem` and `widths` belong to `graph` (plan::problem_of).
IntNet rule_net(const graph::Graph& graph, const graph::LayerGraph& layers,
                const plan::Problem& problem, const plan::Widths& widths, plan::Mode mode,
                uint64_t seed);

// How well an output uses its width.
struct LevelUse {
  uint32_t levels = 0;        // different values
  double saturated = 0;       // share of values at either end of the range
};
LevelUse level_use(const std::vector<uint8_t>& values, uint8_t bits);

}  // namespace mcusim::zoo
