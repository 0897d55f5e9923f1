// SPDX-License-Identifier: MIT
// The network that is trained: every weight and every tensor that exists on the
// target is on its grid, in the order of quant/graph/layers. Batch norm runs behind
// a convolution (integer-normalised layers) or is folded into it at the start.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <utility>
#include <vector>

#include "quant/graph/layers.h"
#include "quant/quantise/convert.h"
#include "quant/train/fake_quant.h"
#include "quant/train/trainer.h"

namespace mcusim::train {

struct Parameter {
  std::string name;
  at::Tensor tensor;
  bool is_range = false;           // the end of a clipping range
};

enum class Pass {
  float32,      // for gradients
  // Sums of products as whole numbers, the rest in double: what the integer network
  // computes, but for the 31 bits of its multipliers.
  exact,
};

class FakeQuantNetwork {
 public:
  // Throws Error for what has no integer form. `task` must outlive the network.
  explicit FakeQuantNetwork(const Task& task);

  // Logits [n, classes] of real inputs [n, c, h, w]. With batch statistics, batch norms
  // use and follow those of the batch (momentum 0.003, Rusci et al.).
  at::Tensor forward(const at::Tensor& x, Pass pass, bool batch_statistics = false);

  std::vector<Parameter> parameters();
  // Everything that training changes: parameters and batch statistics.
  std::vector<at::Tensor> state();
  // Puts ranges back where a grid exists: ends around 0, inside what the network clips.
  void restrain_ranges();

  // What conversion needs: the graph with weights and batch norms as trained (folded
  // ones identities), and the grids.
  graph::Graph trained_graph() const;
  std::vector<quantise::TrainedLayer> trained_layers() const;

 private:
  struct Layer {
    const graph::Layer* from = nullptr;
    LayerStart start;
    bool folded = false, per_channel = false, has_norm = false, keeps_grid = false;
    double low_limit = 0, high_limit = 0, high_floor = 0;
    at::Tensor weight, bias, gamma, beta, mean, variance;
    at::Tensor weight_low, weight_high, low, high;
  };
  struct Activation {
    at::Tensor real;
    Grid grid;
  };

  Layer make(const graph::Layer& from, const LayerStart& start) const;
  std::pair<at::Tensor, at::Tensor> weight_range(const Layer& layer) const;
  at::Tensor weighted(Layer& layer, const Activation& in, Pass pass, bool batch_statistics);
  at::Tensor product(const Layer& layer, const at::Tensor& x, const at::Tensor& w) const;
  at::Tensor pooled(const Layer& layer, const at::Tensor& x) const;
  at::Tensor padded(const Layer& layer, const at::Tensor& x, double value) const;

  const Task& task_;
  const graph::Graph& graph_;
  std::vector<Layer> items_;
};

}  // namespace mcusim::train
