// SPDX-License-Identifier: MIT
// The fake-quantised network: every operator in real numbers, on the values that
// stored operands stand for, with the output's quantiser behind it. What a training
// framework computes with simulated quantisation, and what integers must reproduce.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/host/int_net.h"
#include "quant/quantise/convert.h"

namespace mcusim::quantise {

// Where the real bias stands: as trained, or on the accumulator's grid of Sx * Sw,
// where integers have to put it (as Jacob et al., arXiv 1712.05877, 2.4, train).
enum class BiasGrid { real, accumulator };

// Stored values of the operator's output from those of its inputs, [h][w][c] each;
// `real` is its layer's, empty for operators without weights. Empty when the operator
// only moves values. Contracts icn-floor and thresholds only.
std::vector<int32_t> fake_quantised(const IntNet& net, const IntOp& op, const RealChannels& real,
                                    const std::vector<uint8_t>& in0,
                                    const std::vector<uint8_t>& in1, BiasGrid grid);

// How far integers are from the fake-quantised values, in steps of the output.
struct StepCount {
  uint64_t values = 0, different = 0;
  int32_t largest = 0;

  void add(const std::vector<int32_t>& expected, const std::vector<uint8_t>& got);
};

}  // namespace mcusim::quantise
