// SPDX-License-Identifier: MIT
// Calibration inputs as the user has them, in both forms that quantisation needs.
#pragma once

#include <string>
#include <vector>

#include "quant/graph/graph.h"
#include "quant/quantise/compare.h"
#include "quant/quantise/ranges.h"

namespace mcusim::net_cli {

struct CalibrationOptions {
  std::string selector;          // FILE[:array][first:last]
  std::string layout;            // "nhwc", "nchw", or empty: as the shape tells
  double scale = 0;              // 0: not given
  int32_t zero_point = 0;        // in the domain of the file's integers
};

struct CalibrationSet {
  std::vector<quantise::Sample> samples;
  quantise::Affine input;        // stored domain
  bool input_signed = false;     // int8 in the file
};

// Integer files need a scale; float files bring their own range unless one is
// given. Throws Error for another shape, an ambiguous order, or values outside.
CalibrationSet load_calibration(const CalibrationOptions& options, const graph::Graph& graph);

}  // namespace mcusim::net_cli
