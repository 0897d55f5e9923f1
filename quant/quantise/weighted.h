// SPDX-License-Identifier: MIT
// One weighted layer to integers: stored weights, biases and multipliers per
// channel, with the repairs that real networks need.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kernels/host/int_net.h"
#include "quant/graph/layers.h"
#include "quant/quantise/convert.h"

namespace mcusim::quantise {

// A layer's own numbers, per output channel: y = (w.x + bias) * slope + offset in
// real units before clamping. Without batch norm slope 1 and offset 0.
struct RealLayer {
  uint32_t channels = 0;
  size_t depth = 0;                        // weights per channel
  std::vector<float> weights;              // [channel][depth]
  std::vector<double> bias, slope, offset;
  // Mean input of each weight, [depth] or [channel][depth]; empty: biases stay.
  std::vector<double> means;

  std::span<const float> row(size_t channel) const {
    return {&weights[channel * depth], depth};
  }
};
RealLayer real_layer(const graph::Graph& graph, const graph::Layer& layer);

struct LayerScales {
  Affine in, out;
  uint8_t in_bits = 8, out_bits = 8, weight_bits = 8;
};

// Fills weights ([channel][depth] order), zero points, bias, mult and shift of `op`, and
// returns what they stand for.
RealChannels quantise_weighted(const RealLayer& real, const LayerScales& scales, plan::Flavour flavour,
                       WeightMethod method, bool half_step, IntOp& op,
                       std::vector<std::string>& repairs);

// The same with weights that are stored already, on one grid or one per channel.
RealChannels store_trained(const RealLayer& real, const LayerScales& scales, plan::Flavour flavour,
                           std::span<const StoredWeights> grids, bool half_step, IntOp& op,
                           std::vector<std::string>& repairs);

}  // namespace mcusim::quantise
