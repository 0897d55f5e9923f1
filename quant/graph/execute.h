// SPDX-License-Identifier: MIT
// Runs a float graph on the host: what quantisation is judged against. Weights
// are reordered once so that inner loops run over channels.
#pragma once

#include <functional>
#include <vector>

#include "quant/graph/graph.h"

namespace mcusim::graph {

class FloatExecutor {
 public:
  explicit FloatExecutor(const Graph& graph);  // throws Error when weights are missing

  // Values of every node's output by value id, [h][w][c]; valid until the next run.
  // `after_node` (may be empty) sees each finished node, and may still change the
  // batch norms behind it: their parameters are read when they run.
  const std::vector<std::vector<float>>& run(
      const std::vector<float>& input,
      const std::function<void(size_t node, const std::vector<float>& output)>& after_node = {});

 private:
  void run_node(size_t index);

  const Graph& graph_;
  std::vector<std::vector<float>> weights_;  // per node: conv [k][co], others natural
  std::vector<std::vector<float>> values_;
};

}  // namespace mcusim::graph
