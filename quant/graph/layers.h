// SPDX-License-Identifier: MIT
// Layers: what becomes one integer operator. A convolution or fully connected
// node takes the batch norm and clamp behind it along; an add takes a clamp; a clamp
// that nothing takes is an average pool of one cell. A value between two fused nodes
// never exists in memory.
#pragma once

#include <string>
#include <vector>

#include "quant/graph/graph.h"

namespace mcusim::graph {

struct Layer {
  std::string name;
  int node = -1;                     // the node that names shape and weights
  int batch_norm = -1, clamp = -1;   // fused nodes, or -1
  int in0 = -1, in1 = -1, out = -1;  // values that exist in memory
  Kind kind = Kind::conv;
  bool depthwise = false;
  uint32_t groups = 1;               // of a convolution that is not depthwise
};

struct LayerGraph {
  std::vector<Layer> layers;         // execution order
  std::vector<std::string> dropped;  // what was left out and why (a final softmax)
  std::vector<int> outputs;          // values
};

// Throws Error listing every node that no layer can hold.
LayerGraph fuse(const Graph& graph);

}  // namespace mcusim::graph
