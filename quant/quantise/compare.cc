// SPDX-License-Identifier: MIT
#include "quant/quantise/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/host/host_executor.h"
#include "memmap/base/error.h"
#include "quant/graph/execute.h"

namespace mcusim::quantise {
namespace {

template <typename T>
size_t largest(const std::vector<T>& values) {
  return static_cast<size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

// The parts of a layer (groups) write slices of one tensor; the last of them ends it.
bool ends_layer(const IntNet& net, size_t op) {
  return op + 1 == net.ops.size() || net.ops[op + 1].layer_id != net.ops[op].layer_id;
}

int whole(const IntNet& net, int tensor) {
  while (net.tensors[tensor].parent >= 0) tensor = net.tensors[tensor].parent;
  return tensor;
}

constexpr uint64_t kFakeMacs = 1'000'000'000;  // a few seconds

uint64_t total_macs(const IntNet& net) {
  uint64_t sum = 0;
  for (const IntOp& op : net.ops) sum += macs(net, op);
  return sum;
}

// Compares an operator that has just run with its fake-quantised form: its inputs are
// still there, because no operator writes over what it reads.
void count_steps(const IntNet& net, size_t index, const std::vector<LayerReport>& reports,
                 const HostExecutor& executor, Comparison& result) {
  const IntOp& op = net.ops[index];
  const size_t layer = op.layer_id - 1u;
  const auto in0 = executor.read_tensor(op.in0);
  const auto in1 = op.in1 >= 0 ? executor.read_tensor(op.in1) : std::vector<uint8_t>{};
  const auto got = executor.read_tensor(op.out);
  for (const auto& [grid, counts] : {std::pair{BiasGrid::accumulator, &result.on_grid},
                                     {BiasGrid::real, &result.as_trained}}) {
    const auto expected = fake_quantised(net, op, reports[layer].real, in0, in1, grid);
    if (!expected.empty()) (*counts)[layer].add(expected, got);
  }
}

}  // namespace

Comparison compare(const graph::Graph& graph, const graph::LayerGraph& layers, const IntNet& net,
                   const std::vector<LayerReport>& reports, const std::vector<uint8_t>& file,
                   const std::vector<Sample>& samples) {
  graph::FloatExecutor reference(graph);
  HostExecutor executor(file);
  std::vector<double> signal(layers.layers.size()), noise(layers.layers.size());
  Comparison result;
  result.on_grid.resize(layers.layers.size());
  result.as_trained.resize(layers.layers.size());
  uint64_t macs_left = kFakeMacs;
  for (const auto& sample : samples) {
    const uint64_t needed = total_macs(net);
    const bool fake = result.samples == 0 || needed <= macs_left;
    macs_left -= std::min(needed, macs_left);
    const auto& real = reference.run(sample.real);
    executor.write_tensor(net.inputs[0], sample.stored);
    executor.run([&](size_t op) {
      if (fake) count_steps(net, op, reports, executor, result);
      if (!ends_layer(net, op)) return;
      const size_t layer = net.ops[op].layer_id - 1u;
      const int out = whole(net, net.ops[op].out);
      const IntTensor& tensor = net.tensors[out];
      const auto stored = executor.read_tensor(out);
      const auto& expected = real[layers.layers[layer].out];
      for (size_t i = 0; i < stored.size(); ++i) {
        const double error =
            expected[i] - static_cast<double>(tensor.scale) * (stored[i] - tensor.zero_point);
        signal[layer] += static_cast<double>(expected[i]) * expected[i];
        noise[layer] += error * error;
      }
    });
    const auto logits = executor.read_tensor(net.outputs[0]);
    result.same_top1 += largest(logits) == largest(real[layers.outputs[0]]);
    ++result.samples;
  }
  for (size_t i = 0; i < signal.size(); ++i)
    result.sqnr_db.push_back(noise[i] > 0 ? 10 * std::log10(signal[i] / noise[i])
                                          : std::numeric_limits<double>::infinity());
  return result;
}

}  // namespace mcusim::quantise
