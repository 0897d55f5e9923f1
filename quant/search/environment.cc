// SPDX-License-Identifier: MIT
#include "quant/search/environment.h"

#include <algorithm>
#include <limits>
#include <set>

#include "memmap/base/error.h"

namespace mcusim::search {
namespace {

constexpr size_t kPreviousAction = 8;  // its place in the state

State features(const graph::Graph& graph, const graph::Layer& layer, const plan::PlanLayer& planned,
               size_t index, bool weights) {
  const auto& node = graph.nodes[layer.node];
  const auto& in = graph.values[layer.in0];
  const auto number = [](auto value) { return static_cast<float>(value); };
  return {number(layer.depthwise), number(in.c), number(planned.channels), number(node.stride_h),
          number(node.kernel_h), number(planned.weights), number(in.elements()), number(index),
          0, number(weights)};
}

void scale(std::vector<Step>& steps) {
  for (size_t k = 0; k < kStateSize; ++k) {
    float low = std::numeric_limits<float>::infinity(), high = -low;
    for (const auto& step : steps) {
      low = std::min(low, step.state[k]);
      high = std::max(high, step.state[k]);
    }
    for (auto& step : steps) step.state[k] = high > low ? (step.state[k] - low) / (high - low) : 0;
  }
}

}  // namespace

uint8_t bits_of(double action) { return action < 1.0 / 3 ? 2 : action < 2.0 / 3 ? 4 : 8; }

double action_of(uint8_t bits) { return bits == 2 ? 1.0 / 6 : bits == 4 ? 0.5 : 5.0 / 6; }

Environment::Environment(const graph::Graph& graph, const graph::LayerGraph& layers,
                         const plan::Problem& problem, const plan::Limits& limits, plan::Mode mode)
    : problem_(problem), limits_(limits), mode_(mode) {
  const auto rule = plan::rule_search(problem, limits, mode);
  if (rule.shortfall) throw Error("{}", plan::explain(problem, rule));
  std::set<int> decided;
  for (size_t i = 0; i < problem.layers.size(); ++i) {
    const auto& planned = problem.layers[i];
    const auto add = [&](bool weights) {
      steps_.push_back({static_cast<int>(i), weights,
                        features(graph, layers.layers[i], planned, i, weights)});
    };
    if (planned.weights > 0) add(true);
    const auto& tensor = problem.tensors[planned.output];
    if (!tensor.fixed && decided.insert(tensor.group).second) add(false);
  }
  scale(steps_);
}

State Environment::state(size_t index, double previous_action) const {
  State state = steps_[index].state;
  state[kPreviousAction] = static_cast<float>(previous_action);
  return state;
}

void Environment::set_tensor(plan::Widths& widths, int tensor, uint8_t bits) const {
  for (size_t t = 0; t < problem_.tensors.size(); ++t)
    if (problem_.tensors[t].group == problem_.tensors[tensor].group) widths.tensor_bits[t] = bits;
}

bool Environment::cut_tensor(plan::Widths& widths, int tensor) const {
  const uint8_t bits = widths.tensor_bits[tensor];
  if (problem_.tensors[tensor].fixed || bits <= limits_.min_activation_bits) return false;
  set_tensor(widths, tensor, bits / 2);
  return true;
}

// From the last layer to the first, the widest (then largest) tensor alive at a layer
// that does not fit is halved, until all fit.
void Environment::wall_ram(plan::Widths& widths) const {
  for (size_t i = problem_.layers.size(); i-- > 0;) {
    const auto& layer = problem_.layers[i];
    std::vector<int> alive = layer.inputs;
    alive.push_back(layer.output);
    alive.insert(alive.end(), layer.held.begin(), layer.held.end());
    while (plan::activation_bytes(problem_, widths, i) > limits_.ram_bytes) {
      std::stable_sort(alive.begin(), alive.end(), [&](int a, int b) {
        return plan::tensor_bytes(problem_, widths, a) > plan::tensor_bytes(problem_, widths, b);
      });
      check(std::any_of(alive.begin(), alive.end(), [&](int t) { return cut_tensor(widths, t); }),
            "a plan inside the RAM exists");
    }
  }
}

// HAQ's sweep: from the last layer to the first, one width down each, until it fits.
void Environment::wall_flash(plan::Widths& widths) const {
  const auto full = [&] { return plan::paper_bytes(problem_, widths, mode_) > limits_.flash_bytes; };
  while (full()) {
    bool cut = false;
    for (size_t i = problem_.layers.size(); i-- > 0 && full();) {
      if (widths.weight_bits[i] <= limits_.min_weight_bits) continue;
      widths.weight_bits[i] /= 2;
      cut = true;
    }
    check(cut || !full(), "a plan inside the flash exists");
  }
}

plan::Widths Environment::plan(const std::vector<double>& actions) const {
  check(actions.size() == steps_.size(), "one action per step");
  plan::Widths widths = plan::all_at(problem_, 8, 8);
  for (size_t i = 0; i < steps_.size(); ++i) {
    const auto& step = steps_[i];
    const uint8_t bits = bits_of(actions[i]);
    if (step.weights)
      widths.weight_bits[step.layer] = std::max(bits, limits_.min_weight_bits);
    else
      set_tensor(widths, problem_.layers[step.layer].output,
                 std::max(bits, limits_.min_activation_bits));
  }
  wall_ram(widths);
  wall_flash(widths);
  return widths;
}

std::vector<double> Environment::actions_of(const plan::Widths& widths) const {
  std::vector<double> actions;
  for (const auto& step : steps_)
    actions.push_back(action_of(step.weights
                                    ? widths.weight_bits[step.layer]
                                    : widths.tensor_bits[problem_.layers[step.layer].output]));
  return actions;
}

bool Environment::fits(const plan::Widths& widths) const {
  return plan::peak_activation_bytes(problem_, widths) <= limits_.ram_bytes &&
         plan::paper_bytes(problem_, widths, mode_) <= limits_.flash_bytes;
}

}  // namespace mcusim::search
