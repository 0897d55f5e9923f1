// SPDX-License-Identifier: MIT
// `mcusim plan --method rl` and `--method random`: plans tried on labelled inputs.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "quant/cli/calibration.h"
#include "quant/cli/plan_options.h"

namespace mcusim::net_cli {

struct SearchPlanOptions {
  std::string labels, scores_path, plot_path;
  unsigned episodes = 300;
  uint64_t seed = 1;
  double cycle_weight = 0;

  void add_to(CLI::App& command);
};

// The best plan found; progress, and a comparison with 8 bits and the rule, are
// printed. `cycles` (may be null): extra cycles of narrow widths. Throws Error when
// nothing fits the limits.
plan::Widths search_plan(const SearchPlanOptions& options, const PlanOptions& plan,
                         const CalibrationOptions& calibration, const graph::Graph& graph,
                         const graph::LayerGraph& layers, const plan::Problem& problem,
                         const plan::Costs* cycles);

}  // namespace mcusim::net_cli
