// SPDX-License-Identifier: MIT
#include "quant/quantise/sensitivity.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "kernels/host/host_executor.h"
#include "quant/graph/execute.h"
#include "quant/pack/place.h"

namespace mcusim::quantise {
namespace {

class Meter {
 public:
  Meter(const graph::Graph& graph, const graph::LayerGraph& layers, const plan::Problem& problem,
        const std::vector<Distribution>& values, const ConvertOptions& options,
        const std::vector<Sample>& samples)
      : graph_(graph), layers_(layers), problem_(problem), values_(values), options_(options),
        samples_(samples) {
    graph::FloatExecutor executor(graph);
    for (const auto& sample : samples)
      expected_.push_back(executor.run(sample.real)[layers.outputs[0]]);
  }

  double noise(const plan::Widths& widths) const {
    auto converted = convert(graph_, layers_, problem_, widths, values_, options_);
    place_tensors(converted.net);
    HostExecutor executor(encode(converted.net));
    const IntTensor& out = converted.net.tensors[converted.net.outputs[0]];
    double signal = 0, error = 0;
    for (size_t s = 0; s < samples_.size(); ++s) {
      executor.write_tensor(converted.net.inputs[0], samples_[s].stored);
      executor.run();
      const auto stored = executor.read_tensor(converted.net.outputs[0]);
      for (size_t i = 0; i < stored.size(); ++i) {
        const double got = static_cast<double>(out.scale) * (stored[i] - out.zero_point);
        signal += static_cast<double>(expected_[s][i]) * expected_[s][i];
        error += (got - expected_[s][i]) * (got - expected_[s][i]);
      }
    }
    return signal > 0 ? error / signal : error;
  }

 private:
  const graph::Graph& graph_;
  const graph::LayerGraph& layers_;
  const plan::Problem& problem_;
  const std::vector<Distribution>& values_;
  const ConvertOptions& options_;
  const std::vector<Sample>& samples_;
  std::vector<std::vector<float>> expected_;
};

}  // namespace

plan::Costs measure_costs(const graph::Graph& graph, const graph::LayerGraph& layers,
                          const plan::Problem& problem, const std::vector<Distribution>& values,
                          const ConvertOptions& options, const std::vector<Sample>& samples,
                          const std::function<void(size_t, size_t)>& progress) {
  const Meter meter(graph, layers, problem, values, options, samples);
  const plan::Widths eight = plan::all_at(problem, 8, 8);
  const double floor = meter.noise(eight);
  plan::Costs costs;
  costs.weights.assign(problem.layers.size(), {});
  costs.tensors.assign(problem.tensors.size(), {});
  std::set<int> groups;
  for (const auto& tensor : problem.tensors)
    if (!tensor.fixed) groups.insert(tensor.group);
  size_t all = 2 * groups.size(), done = 0;
  for (const auto& layer : problem.layers) all += layer.weights > 0 ? 2 : 0;
  const auto measured = [&](const plan::Widths& widths) {
    const double loss = std::max(0.0, meter.noise(widths) - floor);
    if (progress) progress(++done, all);
    return loss;
  };
  for (size_t option = 1; option < plan::kWidths.size(); ++option) {
    for (size_t i = 0; i < problem.layers.size(); ++i) {
      if (problem.layers[i].weights == 0) continue;
      plan::Widths widths = eight;
      widths.weight_bits[i] = plan::kWidths[option];
      costs.weights[i][option] = measured(widths);
    }
    for (const int group : groups) {
      plan::Widths widths = eight;
      int first = -1;
      for (size_t t = 0; t < problem.tensors.size(); ++t)
        if (problem.tensors[t].group == group) {
          widths.tensor_bits[t] = plan::kWidths[option];
          if (first < 0) first = static_cast<int>(t);
        }
      if (plan::kWidths[option] < problem.tensors[first].least_bits) {
        costs.tensors[first][option] = std::numeric_limits<double>::infinity();
        continue;
      }
      costs.tensors[first][option] = measured(widths);  // once for the whole group
    }
  }
  return costs;
}

}  // namespace mcusim::quantise
