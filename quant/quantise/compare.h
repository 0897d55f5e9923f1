// SPDX-License-Identifier: MIT
// An integer network against its float original, layer by layer on real inputs.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/host/int_net.h"
#include "quant/graph/layers.h"
#include "quant/quantise/fake_quant.h"

namespace mcusim::quantise {

// One network input both ways: real values and stored ones, h*w*c.
struct Sample {
  std::vector<float> real;
  std::vector<uint8_t> stored;
};

struct Comparison {
  // Per layer: power of the float output over that of the error, and how far its
  // integers are from the fake-quantised layer on the same inputs.
  std::vector<double> sqnr_db;
  std::vector<StepCount> on_grid, as_trained;  // bias on the accumulator's grid, or real
  uint32_t same_top1 = 0, samples = 0;
};

// `file` is the encoded `net`, converted from `layers` with `reports`. Fake quantisation
// runs on as many samples as a few seconds allow, at least one.
Comparison compare(const graph::Graph& graph, const graph::LayerGraph& layers, const IntNet& net,
                   const std::vector<LayerReport>& reports, const std::vector<uint8_t>& file,
                   const std::vector<Sample>& samples);

}  // namespace mcusim::quantise
