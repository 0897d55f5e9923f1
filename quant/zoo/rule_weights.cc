// SPDX-License-Identifier: MIT
#include "quant/zoo/rule_weights.h"

#include <cmath>

#include "quant/graph/execute.h"
#include "quant/zoo/random.h"

namespace mcusim::zoo {
namespace {

using graph::Kind;

void fill(Random& random, std::vector<float>& to, size_t count, double low, double high) {
  to.resize(count);
  for (auto& value : to) value = static_cast<float>(random.real(low, high));
}

}  // namespace

void fill_weights(graph::Graph& graph, uint64_t seed) {
  Random random(seed);
  for (auto& node : graph.nodes) {
    const auto& out = graph.values[node.out];
    if (const uint64_t count = graph.weight_count(node)) {
      // Variance 2 / fan-in (He et al., arXiv 1502.01852) of a uniform distribution.
      const double bound = std::sqrt(6.0 * out.c / static_cast<double>(count));
      fill(random, node.weights, count, -bound, bound);
    }
    if (node.kind == Kind::fully_connected) fill(random, node.bias, out.c, -0.1, 0.1);
    if (node.kind != Kind::batch_norm) continue;
    // A twentieth of the slopes is negative; outputs of relu6 stay inside it.
    fill(random, node.gamma, out.c, 0.6, 1.4);
    for (auto& gamma : node.gamma)
      if (random.integer(0, 19) == 0) gamma = -gamma;
    fill(random, node.beta, out.c, 0.2, 1.2);
    node.mean.assign(out.c, 0);
    node.variance.assign(out.c, 1);
  }
  std::vector<float> input;
  fill(random, input, graph.values[graph.inputs[0]].elements(), -1, 1);
  graph::FloatExecutor executor(graph);
  executor.run(input, [&](size_t index, const std::vector<float>& output) {
    if (index + 1 >= graph.nodes.size()) return;
    auto& norm = graph.nodes[index + 1];
    if (norm.kind != Kind::batch_norm || norm.in0 != graph.nodes[index].out) return;
    const size_t channels = norm.mean.size();
    const double count = static_cast<double>(output.size()) / static_cast<double>(channels);
    for (size_t c = 0; c < channels; ++c) {
      double sum = 0, squares = 0;
      for (size_t i = c; i < output.size(); i += channels) {
        sum += output[i];
        squares += static_cast<double>(output[i]) * output[i];
      }
      norm.mean[c] = static_cast<float>(sum / count);
      norm.variance[c] = static_cast<float>(std::max(1e-4, squares / count - sum / count * sum / count));
    }
  });
}

}  // namespace mcusim::zoo
