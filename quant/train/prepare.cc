// SPDX-License-Identifier: MIT
#include "quant/train/prepare.h"

#include <algorithm>

#include "kernels/host/host_executor.h"
#include "kernels/host/int_net.h"
#include "quant/eval/evaluate.h"
#include "quant/pack/place.h"

namespace mcusim::train {
namespace {

constexpr size_t kRangeInputs = 200;  // more do not move a 2048-bin histogram's clip

}  // namespace

std::vector<float> on_grid(const std::vector<uint8_t>& stored, const quantise::Affine& input) {
  std::vector<float> real(stored.size());
  for (size_t i = 0; i < real.size(); ++i)
    real[i] = input.scale * static_cast<float>(stored[i] - input.zero_point);
  return real;
}

Task prepare(const graph::Graph& graph, const graph::LayerGraph& layers,
             const plan::Problem& problem, const plan::Widths& widths,
             std::optional<plan::Flavour> flavour, const quantise::Affine& input,
             const std::vector<std::vector<float>>& training) {
  auto some = training;
  some.resize(std::min(some.size(), kRangeInputs));
  const auto values = quantise::observe(graph, some);
  Task task{graph, layers, {}, input};
  quantise::RangeOptions options;
  options.half_step = false;
  for (size_t i = 0; i < layers.layers.size(); ++i) {
    LayerStart start;
    start.flavour = flavour ? *flavour : plan::flavour_of(problem, widths, i, plan::Mode::pl);
    start.weight_bits = widths.weight_bits[i];
    start.output_bits = widths.tensor_bits[problem.layers[i].output];
    const auto& output = values[layers.layers[i].out];
    start.output = quantise::choose_range(output, start.output_bits, options);
    if (output.min >= 0) start.output.low = 0;
    task.starts.push_back(start);
  }
  return task;
}

Packed finish(const Task& task, const plan::Problem& problem, const plan::Widths& widths,
              std::optional<plan::Flavour> flavour, bool input_signed, const Outcome& outcome) {
  quantise::ConvertOptions options;
  options.flavour = flavour;
  options.ranges.half_step = false;
  options.bias_correction = false;
  options.input = task.input;
  options.input_signed = input_signed;
  options.trained = outcome.layers;
  auto converted = quantise::convert(outcome.graph, task.layers, problem, widths, {}, options);
  place_tensors(converted.net);
  auto file = encode(converted.net);
  const uint32_t arena_bytes = converted.net.arena_bytes;
  return {std::move(converted.net), std::move(file), arena_bytes, std::move(converted.repairs)};
}

graph::Graph float_graph(const Task& task, const Outcome& outcome) {
  graph::Graph graph = outcome.graph;
  for (size_t i = 0; i < outcome.layers.size(); ++i) {
    auto weight = graph.nodes[task.layers.layers[i].node].weights.begin();
    for (const auto& grid : outcome.layers[i].weights)
      for (const uint8_t stored : grid.stored)
        *weight++ = static_cast<float>(grid.scale * (stored - grid.zero_point));
  }
  return graph;
}

std::vector<uint32_t> integer_top1(const std::vector<uint8_t>& file,
                                   const std::vector<quantise::Sample>& samples) {
  HostExecutor executor(file);
  Outputs outputs;
  for (const auto& sample : samples) {
    executor.write_tensor(executor.net().inputs[0], sample.stored);
    executor.run();
    outputs.push_back(executor.read_tensor(executor.net().outputs[0]));
  }
  return top1(outputs);
}

}  // namespace mcusim::train
