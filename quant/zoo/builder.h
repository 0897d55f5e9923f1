// SPDX-License-Identifier: MIT
// Appends usual blocks to a graph: convolution + batch norm + activation with
// TensorFlow SAME padding (the odd unit after), pools and classifiers.
#pragma once

#include <string>

#include "quant/graph/graph.h"

namespace mcusim::zoo {

class Builder {
 public:
  Builder(std::string name, uint32_t resolution, uint32_t channels);

  int input() const { return graph_.inputs[0]; }
  // Convolution, batch norm and, unless `linear`, relu6. groups 0 = depthwise.
  int conv(const std::string& name, int in, uint32_t channels, uint32_t kernel, uint32_t stride,
           uint32_t groups = 1, bool linear = false);
  int add(const std::string& name, int in0, int in1);
  int global_average(const std::string& name, int in);
  int fully_connected(const std::string& name, int in, uint32_t channels);
  graph::Graph finish(int output);

 private:
  graph::Node& append(graph::Kind kind, const std::string& name, int in, uint32_t h, uint32_t w,
                      uint32_t c);

  graph::Graph graph_;
};

// max(1, floor(channels * width)): MobileNetV1's rule for its multiplier.
uint32_t scaled_channels(uint32_t channels, double width);

// NAME_RESOLUTION_WIDTH, as the papers write it: mobilenet_v1_224_1.0.
std::string network_name(const std::string& family, double width, uint32_t resolution);

}  // namespace mcusim::zoo
