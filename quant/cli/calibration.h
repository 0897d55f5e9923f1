// SPDX-License-Identifier: MIT
// Calibration inputs as the user has them, in both forms that quantisation needs.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "quant/graph/graph.h"
#include "quant/quantise/compare.h"
#include "quant/quantise/sensitivity.h"

namespace mcusim::net_cli {

struct CalibrationOptions {
  std::string selector;          // FILE[:array][first:last]
  std::string layout;            // "nhwc", "nchw", or empty: as the shape tells
  double scale = 0;              // 0: not given
  int32_t zero_point = 0;        // in the domain of the file's integers

  // `name` (the selector), --input-scale, --input-zero-point, --layout.
  void add_to(CLI::App& command, bool required, const char* name = "--calibration");
};

struct CalibrationSet {
  std::vector<quantise::Sample> samples;
  quantise::Affine input;        // stored domain
  bool input_signed = false;     // int8 in the file
};

// Integer files need a scale; float files bring their own range unless one is
// given. Throws Error for another shape, an ambiguous order, or values outside.
CalibrationSet load_calibration(const CalibrationOptions& options, const graph::Graph& graph);

// The float values of the samples, as quantise::observe takes them.
std::vector<std::vector<float>> real_inputs(const CalibrationSet& set);

// Overwrites one line of the terminal; silent when there is none.
void show_progress(const char* what, size_t done, size_t total);

// Losses of all widths, on the first samples of the set.
plan::Costs measure_costs(const graph::Graph& graph, const graph::LayerGraph& layers,
                          const plan::Problem& problem,
                          const std::vector<quantise::Distribution>& values,
                          const quantise::ConvertOptions& options, const CalibrationSet& set);

}  // namespace mcusim::net_cli
