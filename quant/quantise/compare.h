// SPDX-License-Identifier: MIT
// An integer network against its float original, layer by layer on real inputs.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/host/int_net.h"
#include "quant/graph/layers.h"

namespace mcusim::quantise {

// One network input both ways: real values and stored ones, h*w*c.
struct Sample {
  std::vector<float> real;
  std::vector<uint8_t> stored;
};

struct Comparison {
  std::vector<double> sqnr_db;   // per operator: power of the float output over that of the error
  uint32_t same_top1 = 0, samples = 0;
};

// `file` is the encoded `net`, whose operators follow `layers`.
Comparison compare(const graph::Graph& graph, const graph::LayerGraph& layers, const IntNet& net,
                   const std::vector<uint8_t>& file, const std::vector<Sample>& samples);

}  // namespace mcusim::quantise
