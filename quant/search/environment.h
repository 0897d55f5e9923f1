// SPDX-License-Identifier: MIT
// What a search decides, step by step: for every layer the width of its weights,
// then that of its output, each an action in 0 .. 1. Afterwards walls cut widths
// until both memories hold the plan (docs/quantisation.md, "Memory model").
#pragma once

#include <vector>

#include "quant/graph/layers.h"
#include "quant/plan/rule_search.h"
#include "quant/search/ddpg.h"

namespace mcusim::search {

struct Step {
  int layer = 0;
  bool weights = true;    // else the width group of the layer's output
  State state{};          // scaled to 0 .. 1 over all steps; the previous action is filled in
};

class Environment {
 public:
  // Throws Error (plan::explain) when no plan fits the limits.
  Environment(const graph::Graph& graph, const graph::LayerGraph& layers,
              const plan::Problem& problem, const plan::Limits& limits, plan::Mode mode);

  const std::vector<Step>& steps() const { return steps_; }
  // What the agent sees before step `index`.
  State state(size_t index, double previous_action) const;
  // One action per step to a plan inside both limits.
  plan::Widths plan(const std::vector<double>& actions) const;
  // The actions that name `widths` (the middle of each width's range).
  std::vector<double> actions_of(const plan::Widths& widths) const;
  bool fits(const plan::Widths& widths) const;

 private:
  void set_tensor(plan::Widths& widths, int tensor, uint8_t bits) const;
  bool cut_tensor(plan::Widths& widths, int tensor) const;
  void wall_ram(plan::Widths& widths) const;
  void wall_flash(plan::Widths& widths) const;

  const plan::Problem& problem_;
  plan::Limits limits_;
  plan::Mode mode_;
  std::vector<Step> steps_;
};

// Thirds of 0 .. 1 are 2, 4 and 8 bits.
uint8_t bits_of(double action);
double action_of(uint8_t bits);

}  // namespace mcusim::search
