// SPDX-License-Identifier: MIT
// Quantisation-aware retraining (Rusci et al., arXiv 1905.13082, section 6): every
// forward pass sees weights and activations on their grids, every update moves the
// real weights behind them. One thread: equal inputs give equal bytes.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "quant/graph/layers.h"
#include "quant/quantise/convert.h"
#include "quant/train/checkpoint.h"

namespace mcusim::train {

// Real inputs [h][w][c] with their classes.
struct Examples {
  std::vector<std::vector<float>> inputs;
  std::vector<int64_t> labels;
};

struct TrainOptions {
  unsigned epochs = 30, batch = 32;
  double learning_rate = 1e-3;  // halved after 5/12 of the epochs, a tenth after 8/12 (A.8's 12)
  double range_decay = 5e-4;    // weight decay of learned range ends
  // Part of the loss that compares with the float network's outputs; not in the papers.
  double distill = 0, temperature = 2;
  unsigned max_shift_h = 0, max_shift_w = 0;  // random shifts, in cells; edges are repeated
  bool flip = false;            // random left-right mirroring
  uint64_t seed = 1;
  std::string checkpoint;       // empty: none
};

// Where a layer starts from.
struct LayerStart {
  plan::Flavour flavour = plan::Flavour::pc_icn;
  uint8_t weight_bits = 8, output_bits = 8;
  quantise::Range output;       // low 0: stays 0
};

struct Task {
  const graph::Graph& graph;
  const graph::LayerGraph& layers;
  std::vector<LayerStart> starts;   // per layer
  quantise::Affine input;
};

struct Outcome {
  std::vector<float> state;                    // of the best epoch
  graph::Graph graph;                          // with its weights and batch norms
  std::vector<quantise::TrainedLayer> layers;
  std::vector<EpochResult> epochs;
  unsigned best_epoch = 0;                     // 0: the start was best
};

// Sees every finished epoch; those before a resumed checkpoint are not repeated.
using OnEpoch = std::function<void(const std::vector<EpochResult>& epochs)>;

// Continues the checkpoint if the file exists. The state of the least loss on the
// validation inputs is kept; without any, the last.
// Throws Error for labels outside the classes, a checkpoint of another run, and a
// loss that is not finite.
Outcome train(const Task& task, const Examples& training, const Examples& validation,
              const TrainOptions& options, const OnEpoch& on_epoch = {});

// Top-1 of the fake-quantised network, computed with exact sums: what the integer
// network must decide. `outcome` none: of the start.
std::vector<uint32_t> fake_quantised_top1(const Task& task, const Outcome* outcome,
                                          const std::vector<std::vector<float>>& inputs);

}  // namespace mcusim::train
