// SPDX-License-Identifier: MIT
// Rewrites of float networks: the same values, and layers that integers can hold.
#include "quant/graph/simplify.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <cmath>
#include <functional>

#include "quant/graph/execute.h"
#include "quant/graph/layers.h"
#include "quant/pack/place.h"
#include "quant/quantise/compare.h"
#include "quant/zoo/random.h"

namespace mcusim::graph {
namespace {

class Maker {
 public:
  Graph graph;

  int input(uint32_t side, uint32_t channels) {
    graph.inputs = {graph.add_value("x", side, side, channels)};
    return graph.inputs[0];
  }
  int node(Kind kind, int in, const std::function<void(Node&)>& change = {}) {
    const Value from = graph.values[in];
    Node made;
    made.kind = kind;
    made.name = fmt::format("{}{}", static_cast<int>(kind), graph.nodes.size());
    made.in0 = in;
    if (kind == Kind::batch_norm)
      for (auto* list : {&made.gamma, &made.beta, &made.mean, &made.variance})
        for (uint32_t c = 0; c < from.c; ++c) list->push_back(static_cast<float>(random_.real(0.5, 1.5)));
    if (change) change(made);
    const auto extent = [&](uint32_t size, uint32_t kernel, uint32_t stride, uint32_t pads) {
      return (size + pads - kernel) / stride + 1;
    };
    uint32_t h = from.h, w = from.w;
    if (kind == Kind::pad) h += made.pad_top + made.pad_bottom, w += made.pad_left + made.pad_right;
    if (kind == Kind::conv || kind == Kind::max_pool) {
      h = extent(from.h, made.kernel_h, made.stride_h, made.pad_top + made.pad_bottom);
      w = extent(from.w, made.kernel_w, made.stride_w, made.pad_left + made.pad_right);
    }
    if (kind == Kind::conv) {
      made.weights.resize(size_t{from.c} * from.c * made.kernel_h * made.kernel_w);
      for (auto& weight : made.weights) weight = static_cast<float>(random_.real(-0.4, 0.5));
    }
    made.out = graph.add_value(made.name, h, w, from.c);
    graph.nodes.push_back(made);
    return made.out;
  }

 private:
  zoo::Random random_{5};
};

// Everything at once, as PyTorch exports it: a norm of the input, padding of its own,
// relu6 as two clamps, a rectifier behind a pool and one on a branch.
Graph awkward() {
  Maker m;
  int x = m.node(Kind::batch_norm, m.input(9, 3));
  x = m.node(Kind::pad, x, [](Node& n) { n.pad_top = n.pad_left = n.pad_bottom = n.pad_right = 1; });
  x = m.node(Kind::conv, x, [](Node& n) { n.kernel_h = n.kernel_w = 3; });
  x = m.node(Kind::batch_norm, m.node(Kind::batch_norm, x));
  x = m.node(Kind::clamp, m.node(Kind::clamp, x, [](Node& n) { n.low = 0; }),
             [](Node& n) { n.low = 0, n.high = 6; });
  x = m.node(Kind::conv, x);
  x = m.node(Kind::max_pool, x, [](Node& n) { n.kernel_h = n.kernel_w = n.stride_h = n.stride_w = 3; });
  x = m.node(Kind::clamp, x, [](Node& n) { n.low = 0; });
  const int branch = m.node(Kind::conv, x);
  const int rectified = m.node(Kind::clamp, branch, [](Node& n) { n.low = 0; });
  x = m.node(Kind::add, branch, [&](Node& n) { n.in1 = rectified; });
  m.graph.outputs = {x};
  return m.graph;
}

TEST(Simplify, KeepsTheValuesAndLeavesLayersForIntegers) {
  const Graph before = awkward();
  Graph after = before;
  simplify(after);
  const LayerGraph layers = fuse(after);
  // scale, conv, conv, max pool, conv, clamp on the branch, add.
  ASSERT_EQ(layers.layers.size(), 7u);
  EXPECT_TRUE(layers.layers[0].depthwise);
  EXPECT_GE(layers.layers[1].clamp, 0);
  EXPECT_EQ(after.nodes[layers.layers[1].node].pad_top, 1u);
  EXPECT_GE(layers.layers[2].clamp, 0);
  EXPECT_EQ(layers.layers[5].kind, Kind::avg_pool);

  zoo::Random random(9);
  FloatExecutor a(before), b(after);
  std::vector<std::vector<float>> inputs(8, std::vector<float>(9 * 9 * 3));
  for (auto& input : inputs) {
    for (auto& value : input) value = static_cast<float>(random.real(-1, 1));
    const auto expected = a.run(input)[before.outputs[0]];
    const auto& got = b.run(input)[after.outputs[0]];
    for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], 1e-4) << i;
  }

  const auto problem = plan::problem_of(after, layers);
  quantise::ConvertOptions options;
  options.input = quantise::affine_of({-1, 1}, 8);
  auto converted = quantise::convert(after, layers, problem, plan::all_at(problem, 8, 8),
                                     quantise::observe(after, inputs), options);
  place_tensors(converted.net);
  std::vector<quantise::Sample> samples;
  for (const auto& input : inputs) {
    samples.push_back({input, {}});
    for (const float value : input)
      samples.back().stored.push_back(static_cast<uint8_t>(
          std::lround(value / options.input.scale) + options.input.zero_point));
  }
  const auto comparison = quantise::compare(after, layers, converted.net, converted.layers,
                                            encode(converted.net), samples);
  for (size_t i = 0; i < layers.layers.size(); ++i) {
    EXPECT_GT(comparison.sqnr_db[i], 25) << layers.layers[i].name;
    EXPECT_LE(comparison.on_grid[i].largest, 1) << layers.layers[i].name;
  }
}

}  // namespace
}  // namespace mcusim::graph
