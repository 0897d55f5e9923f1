// SPDX-License-Identifier: MIT
// The float network over many inputs: the yardstick of a quantised one.
#pragma once

#include <vector>

#include "quant/eval/evaluate.h"
#include "quant/graph/graph.h"

namespace mcusim {

// Index of the largest output of every input ([h][w][c] each).
std::vector<uint32_t> float_top1(const graph::Graph& graph,
                                 const std::vector<std::vector<float>>& inputs, unsigned threads);

// The inputs of an integer network as the real numbers they stand for.
std::vector<std::vector<float>> real_samples(const IntNet& net, const Samples& samples);

}  // namespace mcusim
