// SPDX-License-Identifier: MIT
// Activation ranges from what a float network does on calibration inputs.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "quant/graph/graph.h"

namespace mcusim::quantise {

// The values of one tensor over all calibration inputs: extremes and a histogram
// of equal bins between them.
struct Distribution {
  float min = 0, max = 0;
  std::vector<uint64_t> bins;
  std::vector<double> channel_means;

  double centre(size_t bin) const {
    return min + (static_cast<double>(max) - min) * (static_cast<double>(bin) + 0.5) /
                     static_cast<double>(bins.size());
  }
};

// By value id. Two passes over the inputs; `progress` (may be empty) sees each
// finished one, out of 2 * inputs.
std::vector<Distribution> observe(const graph::Graph& graph,
                                  const std::vector<std::vector<float>>& inputs,
                                  const std::function<void(size_t done)>& progress = {});

struct Range {
  float low = 0, high = 0;
};

// automatic: mse at 8 bits, kl below, each where it lost least on the keyword network.
enum class RangeMethod { automatic, min_max, percentile, mse, kl };
RangeMethod parse_range_method(const std::string& text);  // throws Error

struct RangeOptions {
  RangeMethod method = RangeMethod::automatic;
  double percentile = 99.99;  // share of the values that stay inside
  bool half_step = true;      // requantisation rounds; without, it floors
};

// The clip for a tensor of `bits`. A tensor that is never negative starts at 0.
// KL (TensorRT's entropy calibration) is defined for such tensors; others take
// the least squared error.
Range choose_range(const Distribution& values, uint8_t bits, const RangeOptions& options);

// Scale and zero point in the stored domain for a range that contains 0.
struct Affine {
  float scale = 1;
  int32_t zero_point = 0;
};
Affine affine_of(Range range, uint8_t bits);
// The real values that the stored ones reach.
Range range_of(Affine affine, uint8_t bits);

}  // namespace mcusim::quantise
