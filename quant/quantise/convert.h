// SPDX-License-Identifier: MIT
// A float network, a bit plan and activation ranges to an integer network: weights
// stored per layer or per channel, batch norm folded or normalised in integers,
// requantisation as multipliers or thresholds (docs/net_format.md, "Arithmetic").
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/host/int_net.h"
#include "quant/plan/problem.h"
#include "quant/quantise/ranges.h"
#include "quant/quantise/weights.h"

namespace mcusim::quantise {

// What retraining decided for a layer: nothing is left to choose.
struct TrainedLayer {
  Affine output;
  std::vector<StoredWeights> weights;  // none, one grid, or one per output channel
};

struct ConvertOptions {
  // One arithmetic for all layers, or the mixed per-layer mode (folded where
  // weights and output have 8 bits, integer-normalised elsewhere).
  std::optional<plan::Flavour> flavour = plan::Flavour::pc_icn;
  WeightMethod weights = WeightMethod::least_squares;
  RangeOptions ranges;         // half_step also decides the requantisation
  // Takes the mean error that stored weights make on the calibration inputs out of
  // the biases (Nagel et al., arXiv 1906.04721, section 4.2).
  bool bias_correction = true;
  // How stored inputs read: real = scale * (stored - zero_point).
  Affine input;
  bool input_signed = false;   // shown as int8
  // Per layer; empty: grids are chosen here. Else `weights`, `ranges.method`,
  // `bias_correction` and the values' distributions are not read.
  std::vector<TrainedLayer> trained;
};

// A weighted layer in real numbers, per output channel:
//   y = sum(x * w) * gain + addend,  w = weight_scale * (stored - zero point).
// What its integers stand for, before anything of Bq, M0 and N0 is rounded.
struct RealChannels {
  std::vector<double> weight_scale, gain, addend;
};

struct LayerReport {
  std::string name;
  plan::Flavour flavour = plan::Flavour::pc_icn;
  Range range;                 // of the output
  Affine output;
  RealChannels real;           // empty without weights
};

struct Converted {
  IntNet net;                  // not placed
  std::vector<LayerReport> layers;   // operator i belongs to layer_id - 1
  std::vector<std::string> repairs;  // constant channels, widened ranges, 8-bit ICN layers
};

// Everything is indexed as in graph, layers and problem. Throws Error naming layer
// and channel when no requantisation holds the accumulator's bound.
Converted convert(const graph::Graph& graph, const graph::LayerGraph& layers,
                  const plan::Problem& problem, const plan::Widths& widths,
                  const std::vector<Distribution>& values, const ConvertOptions& options);

}  // namespace mcusim::quantise
