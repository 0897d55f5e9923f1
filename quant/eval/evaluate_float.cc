// SPDX-License-Identifier: MIT
#include "quant/eval/evaluate_float.h"

#include <algorithm>
#include <memory>

#include "kernels/host/tensor_io.h"
#include "memmap/base/error.h"
#include "quant/eval/parallel.h"
#include "quant/graph/execute.h"

namespace mcusim {

std::vector<uint32_t> float_top1(const graph::Graph& graph,
                                 const std::vector<std::vector<float>>& inputs, unsigned threads) {
  std::vector<uint32_t> best(inputs.size());
  for_each_parallel(inputs.size(), threads, [&] {
    return [&, executor = std::make_unique<graph::FloatExecutor>(graph)](uint64_t i) {
      const auto& out = executor->run(inputs[i])[static_cast<size_t>(graph.outputs.at(0))];
      best[i] = static_cast<uint32_t>(std::max_element(out.begin(), out.end()) - out.begin());
    };
  });
  return best;
}

std::vector<std::vector<float>> real_samples(const IntNet& net, const Samples& samples) {
  const IntTensor& tensor = net.tensors[static_cast<size_t>(net.inputs.at(0))];
  std::vector<std::vector<float>> inputs(samples.count);
  for (uint64_t i = 0; i < samples.count; ++i)
    for (const uint8_t value : stored_values(tensor, samples.array, i, samples.name))
      inputs[i].push_back(tensor.scale * static_cast<float>(value - tensor.zero_point));
  return inputs;
}

}  // namespace mcusim
