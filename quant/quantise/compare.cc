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

}  // namespace

Comparison compare(const graph::Graph& graph, const graph::LayerGraph& layers, const IntNet& net,
                   const std::vector<uint8_t>& file, const std::vector<Sample>& samples) {
  check(layers.layers.size() == net.ops.size(), "one operator per layer");
  graph::FloatExecutor reference(graph);
  HostExecutor executor(file);
  std::vector<double> signal(net.ops.size()), noise(net.ops.size());
  Comparison result;
  for (const auto& sample : samples) {
    const auto& real = reference.run(sample.real);
    executor.write_tensor(net.inputs[0], sample.stored);
    executor.run([&](size_t op) {
      const IntTensor& tensor = net.tensors[net.ops[op].out];
      const auto stored = executor.read_tensor(net.ops[op].out);
      const auto& expected = real[layers.layers[op].out];
      for (size_t i = 0; i < stored.size(); ++i) {
        const double error =
            expected[i] - static_cast<double>(tensor.scale) * (stored[i] - tensor.zero_point);
        signal[op] += static_cast<double>(expected[i]) * expected[i];
        noise[op] += error * error;
      }
    });
    const auto logits = executor.read_tensor(net.outputs[0]);
    result.same_top1 += largest(logits) == largest(real[layers.outputs[0]]);
    ++result.samples;
  }
  for (size_t op = 0; op < net.ops.size(); ++op)
    result.sqnr_db.push_back(noise[op] > 0 ? 10 * std::log10(signal[op] / noise[op])
                                           : std::numeric_limits<double>::infinity());
  return result;
}

}  // namespace mcusim::quantise
