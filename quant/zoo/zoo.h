// SPDX-License-Identifier: MIT
// Networks made by rule, at any width and resolution: structures without weights,
// for planning and as skeletons of rule-made networks.
#pragma once

#include <span>

#include "quant/graph/graph.h"

namespace mcusim::zoo {

// A network family; `name` is what the user types.
struct Family {
  const char* name;
  const char* description;
  graph::Graph (*build)(double width, uint32_t resolution);
};
std::span<const Family> families();
const Family& family(const std::string& name);  // throws Error listing the known ones

// Howard et al., arXiv 1704.04861, table 1, with TensorFlow SAME padding; L1 ..
// L27 convolutions (even = depthwise), a global average pool, L28 the classifier.
graph::Graph mobilenet_v1(double width, uint32_t resolution);

// Sandler et al., arXiv 1801.04381, table 2.
graph::Graph mobilenet_v2(double width, uint32_t resolution);
// Tan et al., arXiv 1807.11626, figure 7: A1 without its squeeze-and-excitation (no
// kernel multiplies two activations), and B1, which has none.
graph::Graph mnasnet_a1(double width, uint32_t resolution);
graph::Graph mnasnet_b1(double width, uint32_t resolution);

}  // namespace mcusim::zoo
