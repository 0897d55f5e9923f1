// SPDX-License-Identifier: MIT
// The float network: values of shape h x w x c (batch 1, channels innermost) and
// nodes in topological order. Importers and the zoo build it, the float executor
// runs it, the planner and the quantisers read it. Weights may be absent (a
// structure to plan for); everything else is always complete.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

namespace mcusim::graph {

struct Value {
  std::string name;
  uint32_t h = 1, w = 1, c = 1;

  uint64_t elements() const { return uint64_t{h} * w * c; }
};

enum class Kind {
  conv,             // groups 1, or groups == channels (depthwise), or between
  fully_connected,
  batch_norm,
  clamp,            // relu, relu6, clip
  add,
  max_pool,
  avg_pool,         // global: kernel = the whole input
  pad,
  flatten,          // h x w x c to 1 x 1 x h*w*c, order kept
  softmax,
};
const char* name_of(Kind kind);

struct Node {
  std::string name;
  Kind kind = Kind::conv;
  int in0 = -1, in1 = -1, out = -1;  // value ids
  uint32_t kernel_h = 1, kernel_w = 1, stride_h = 1, stride_w = 1, groups = 1;
  uint32_t pad_top = 0, pad_left = 0, pad_bottom = 0, pad_right = 0;
  bool count_padding = false;        // average pool: cells outside count in the divisor
  float pad_value = 0;               // pad
  std::vector<float> weights;        // conv [co][kh][kw][ci/groups], fully connected [co][h*w*c]
  std::vector<float> bias;           // per output channel, or empty
  std::vector<float> gamma, beta, mean, variance;  // batch norm, per channel
  float epsilon = 1e-5f;
  float low = -std::numeric_limits<float>::infinity();  // clamp
  float high = std::numeric_limits<float>::infinity();
};

struct Graph {
  std::string name;
  std::vector<Value> values;
  std::vector<Node> nodes;           // topological order
  std::vector<int> inputs, outputs;  // value ids

  int add_value(std::string value_name, uint32_t h, uint32_t w, uint32_t c);
  // Nodes that read value `id`, by index.
  std::vector<int> consumers(int id) const;
  // Weights and multiply-accumulates by shape, whether or not values are present.
  uint64_t weight_count(const Node& node) const;
  uint64_t macs(const Node& node) const;
};

// Output extent of a sliding window; throws Error naming `what` when it is empty.
uint32_t window_extent(const std::string& what, uint32_t in, uint32_t kernel, uint32_t stride,
                       uint32_t pad_before, uint32_t pad_after);

}  // namespace mcusim::graph
