// SPDX-License-Identifier: MIT
// The conversion against a fake-quantised evaluation of its own formula in double,
// and on the repairs that real networks need.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "kernels/reference/reference.h"
#include "memmap/base/error.h"
#include "quant/graph/execute.h"
#include "quant/quantise/convert.h"
#include "quant/quantise/fake_quant.h"
#include "quant/quantise/placeholder.h"
#include "quant/pack/place.h"
#include "quant/quantise/compare.h"
#include "quant/quantise/weighted.h"
#include "quant/zoo/builder.h"
#include "quant/zoo/random.h"
#include "quant/zoo/rule_weights.h"

namespace mcusim::quantise {
namespace {

using graph::Kind;

// A small network of every layer kind: conv, depthwise, pointwise, a residual
// addition, a pool and a classifier, with batch norms that have negative slopes.
graph::Graph small_network(uint64_t seed) {
  zoo::Builder builder("small", 12, 3);
  int x = builder.conv("conv", builder.input(), 8, 3, 2);
  x = builder.conv("depthwise", x, 8, 3, 1, 0);
  const int a = builder.conv("point", x, 8, 1, 1);
  x = builder.add("add", a, builder.conv("linear", a, 8, 1, 1, 1, true));
  x = builder.global_average("pool", x);
  auto graph = builder.finish(builder.fully_connected("classifier", x, 10));
  zoo::Random random(seed);
  for (auto& node : graph.nodes) {
    const auto& out = graph.values[node.out];
    const auto fill = [&](std::vector<float>& to, size_t count, double low, double high) {
      to.resize(count);
      for (auto& value : to) value = static_cast<float>(random.real(low, high));
    };
    const auto count = graph.weight_count(node);
    const double spread = count ? 3.0 / std::sqrt(static_cast<double>(count) / out.c) : 0;
    if (count) fill(node.weights, count, -spread, spread);
    if (count) fill(node.bias, out.c, -0.5, 0.5);
    if (node.kind != Kind::batch_norm) continue;
    fill(node.gamma, out.c, 0.5, 1.5);
    for (size_t c = 0; c < out.c; c += 3) node.gamma[c] = -node.gamma[c];
    fill(node.beta, out.c, 0.5, 2);
    fill(node.mean, out.c, -0.3, 0.3);
    fill(node.variance, out.c, 0.5, 1.5);
  }
  return graph;
}

std::vector<std::vector<float>> inputs_of(const graph::Graph& graph, size_t count) {
  zoo::Random random(99);
  std::vector<std::vector<float>> inputs(count);
  for (auto& input : inputs) {
    input.resize(graph.values[graph.inputs[0]].elements());
    for (auto& value : input) value = static_cast<float>(random.real(-1, 1));
  }
  return inputs;
}

// One layer by the float executor: dequantised operands, the network's own batch norm,
// then the output's quantiser. Shares nothing with integers but stored values and scales.
std::vector<double> steps_of(const graph::Graph& graph, const graph::Layer& layer, const IntNet& net,
                             const IntOp& op, const LayerReport& report,
                             const std::vector<uint8_t>& in) {
  const IntTensor &x = net.tensors[op.in0], &y = net.tensors[op.out];
  const bool folded = report.flavour == plan::Flavour::pl_fb;
  graph::Graph one;
  one.inputs = {one.add_value("x", x.h, x.w, x.c)};
  graph::Node node = graph.nodes[layer.node];
  node.in0 = 0;
  node.out = one.add_value("y", y.h, y.w, y.c);
  const size_t depth = node.weights.size() / y.c;
  for (size_t c = 0; c < y.c; ++c)
    for (size_t k = 0; k < depth; ++k) {
      const bool depthwise = op.kind == net::OpKind::depthwise;
      const int32_t zero = op.weight_zero_points[op.weight_zero_points.size() == 1 ? 0 : c];
      node.weights[c * depth + k] = static_cast<float>(
          report.real.weight_scale[c] * (op.weights[depthwise ? k * y.c + c : c * depth + k] - zero));
    }
  const graph::Node* norm = layer.batch_norm < 0 ? nullptr : &graph.nodes[layer.batch_norm];
  if (folded && norm)
    for (size_t c = 0; c < y.c; ++c)
      node.bias[c] = (node.bias[c] - norm->mean[c]) * norm->gamma[c] /
                         std::sqrt(norm->variance[c] + norm->epsilon) + norm->beta[c];
  one.nodes.push_back(node);
  one.outputs = {node.out};
  if (!folded && norm) {
    one.nodes.push_back(*norm);
    one.nodes[1].in0 = 1;
    one.nodes[1].out = one.add_value("z", y.h, y.w, y.c);
    one.outputs = {2};
  }
  std::vector<float> real;
  for (const uint8_t value : in) real.push_back(x.scale * static_cast<float>(value - x.zero_point));
  graph::FloatExecutor executor(one);
  std::vector<double> steps;
  for (const float value : executor.run(real)[one.outputs[0]])
    steps.push_back(static_cast<double>(value) / y.scale + (op.half_step ? 0.5 : 0.0));
  return steps;
}

struct Case {
  plan::Flavour flavour;
  uint8_t activation_bits, weight_bits;
  bool half_step;
};
class Conversion : public testing::TestWithParam<Case> {};

// Integers equal the fake-quantised network whose biases stand on the accumulator's
// grid, but for values on an edge (M0 has 31 bits). Against biases as trained, rounding
// Bq moves the output by up to half an accumulator unit, m / 2 steps: by one step next
// to an edge, by more only where a unit is worth several (8-bit output of 2-bit operands).
TEST_P(Conversion, IntegerGraphIsTheFakeQuantisedOneUpToOneStep) {
  const Case& c = GetParam();
  const auto graph = small_network(5);
  const auto layers = graph::fuse(graph);
  const auto problem = plan::problem_of(graph, layers);
  const auto inputs = inputs_of(graph, 8);
  ConvertOptions options;
  options.flavour = c.flavour;
  options.ranges.half_step = c.half_step;
  options.bias_correction = false;
  options.input = affine_of({-1, 1}, 8);
  const auto converted =
      convert(graph, layers, problem, plan::all_at(problem, c.activation_bits, c.weight_bits),
              observe(graph, inputs), options);
  const IntNet& net = converted.net;
  std::vector<uint8_t> stored(inputs[0].size());
  for (size_t i = 0; i < stored.size(); ++i)
    stored[i] = static_cast<uint8_t>(std::lround(inputs[0][i] / options.input.scale) +
                                     options.input.zero_point);
  const auto tensors = reference::run(net, {stored});
  StepCount grid;
  for (size_t i = 0; i < net.ops.size(); ++i) {
    const IntOp& op = net.ops[i];
    SCOPED_TRACE(op.name);
    const auto& got = tensors[op.out];
    const auto& in1 = op.in1 >= 0 ? tensors[op.in1] : tensors[op.in0];
    const auto& report = converted.layers[i];
    grid.add(fake_quantised(net, op, report.real, tensors[op.in0], in1, BiasGrid::accumulator), got);
    if (op.weights.empty()) continue;
    const auto trained = fake_quantised(net, op, report.real, tensors[op.in0], {}, BiasGrid::real);
    const auto steps = steps_of(graph, layers.layers[i], net, op, report, tensors[op.in0]);
    ASSERT_EQ(got.size(), steps.size());
    for (size_t k = 0; k < got.size(); ++k) {
      const size_t j = op.mult.size() == 1 ? 0 : k % net.tensors[op.out].c;
      const double m = std::fabs(std::ldexp(static_cast<double>(op.mult[j]), op.shift[j] - 31));
      ASSERT_LE(std::abs(got[k] - trained[k]), 1 + std::floor(m / 2)) << k << " m " << m;
      const double expected = std::clamp<double>(
          std::floor(steps[k]) + net.tensors[op.out].zero_point, op.act_min, op.act_max);
      if (std::fabs(steps[k] - std::nearbyint(steps[k])) > 1e-3) ASSERT_EQ(trained[k], expected) << k;
    }
  }
  EXPECT_LE(grid.largest, 1);
  EXPECT_LE(grid.different * 1000, grid.values);
}

INSTANTIATE_TEST_SUITE_P(
    Methods, Conversion,
    testing::Values(Case{plan::Flavour::pc_icn, 8, 8, true}, Case{plan::Flavour::pc_icn, 8, 8, false},
                    Case{plan::Flavour::pc_icn, 4, 4, true}, Case{plan::Flavour::pc_icn, 2, 2, false},
                    Case{plan::Flavour::pl_icn, 8, 4, true}, Case{plan::Flavour::pl_icn, 4, 8, false},
                    Case{plan::Flavour::pl_fb, 8, 8, true}, Case{plan::Flavour::pl_fb, 4, 4, false}));

TEST(ConversionQuality, EightBitsFollowTheFloatNetworkThroughAdditionAndPool) {
  const auto graph = small_network(6);
  const auto layers = graph::fuse(graph);
  const auto problem = plan::problem_of(graph, layers);
  const auto inputs = inputs_of(graph, 8);
  ConvertOptions options;
  options.input = affine_of({-1, 1}, 8);
  const auto converted = convert(graph, layers, problem, plan::all_at(problem, 8, 8),
                                 observe(graph, inputs), options);
  std::vector<uint8_t> stored(inputs[0].size());
  for (size_t i = 0; i < stored.size(); ++i)
    stored[i] = static_cast<uint8_t>(std::lround(inputs[0][i] / options.input.scale) +
                                     options.input.zero_point);
  const auto tensors = reference::run(converted.net, {stored});
  graph::FloatExecutor executor(graph);
  const auto& real = executor.run(inputs[0]);
  for (size_t i = 0; i < converted.net.ops.size(); ++i) {
    const IntTensor& out = converted.net.tensors[converted.net.ops[i].out];
    const auto& expected = real[layers.layers[i].out];
    double signal = 0, noise = 0;
    for (size_t k = 0; k < expected.size(); ++k) {
      const double got =
          static_cast<double>(out.scale) * (tensors[converted.net.ops[i].out][k] - out.zero_point);
      signal += expected[k] * expected[k];
      noise += (got - expected[k]) * (got - expected[k]);
    }
    EXPECT_GT(signal / noise, 1000) << converted.net.ops[i].name;  // 30 dB
  }
}

// A convolution in groups against the float network: slices of the same tensors.
TEST(ConversionQuality, GroupsFollowTheFloatNetwork) {
  zoo::Builder builder("groups", 8, 3);
  int x = builder.conv("conv", builder.input(), 8, 3, 1);
  x = builder.conv("groups", x, 16, 3, 2, 4);
  auto graph = builder.finish(builder.fully_connected("classifier", builder.global_average("pool", x), 4));
  zoo::fill_weights(graph, 3);
  const auto layers = graph::fuse(graph);
  const auto problem = plan::problem_of(graph, layers);
  EXPECT_EQ(problem.layers[1].weights, 16u * 9 * 2);
  const auto inputs = inputs_of(graph, 8);
  ConvertOptions options;
  options.input = affine_of({-1, 1}, 8);
  // Slices of two channels begin on bytes at 8 and 4 bits: 2 bits become 4.
  const auto widths = plan::all_at(problem, 2, 8);
  EXPECT_EQ(widths.tensor_bits[problem.layers[1].inputs[0]], 4);
  for (const auto flavour : {plan::Flavour::pc_icn, plan::Flavour::pl_fb}) {
    options.flavour = flavour;
    auto converted = convert(graph, layers, problem, plan::all_at(problem, 8, 8),
                             observe(graph, inputs), options);
    ASSERT_EQ(converted.net.ops.size(), 4u + 3);
    place_tensors(converted.net);
    std::vector<Sample> samples;
    for (const auto& input : inputs) {
      samples.push_back({input, std::vector<uint8_t>(input.size())});
      for (size_t i = 0; i < input.size(); ++i)
        samples.back().stored[i] = static_cast<uint8_t>(std::lround(input[i] / options.input.scale) +
                                                        options.input.zero_point);
    }
    const auto file = encode(converted.net);
    const auto comparison =
        compare(graph, layers, converted.net, converted.layers, file, samples);
    for (size_t i = 0; i < 4; ++i) {
      EXPECT_GT(comparison.sqnr_db[i], 25) << converted.layers[i].name;
      EXPECT_LE(comparison.on_grid[i].largest, 1) << converted.layers[i].name;
      EXPECT_GT(comparison.on_grid[i].values, 0u);
    }
    // The plan's size, known before calibration, is the container's, but for short lists
    // that happen to be equal there.
    auto placeholder = placeholder_net(graph, layers, problem, plan::all_at(problem, 8, 8),
                                       flavour == plan::Flavour::pc_icn ? plan::Mode::pc : plan::Mode::pl);
    place_tensors(placeholder);
    EXPECT_GE(encode(placeholder).size(), file.size());
    EXPECT_LE(encode(placeholder).size(), file.size() + 8 * converted.net.ops.size());
    EXPECT_EQ(placeholder.arena_bytes, converted.net.arena_bytes);
  }
}

// gamma = 0, all weights 0, and a tiny slope: the output is a constant and exact.
TEST(Repairs, ConstantChannelsAreConstantsAndReported) {
  auto graph = small_network(7);
  auto& norm = graph.nodes[1];
  ASSERT_EQ(norm.kind, Kind::batch_norm);
  norm.gamma[0] = 0;
  norm.gamma[1] = 1e-7f;
  auto& conv = graph.nodes[0];
  std::fill_n(conv.weights.begin() + 2 * 27, 27, 0.0f);
  const auto layers = graph::fuse(graph);
  const auto problem = plan::problem_of(graph, layers);
  const auto inputs = inputs_of(graph, 4);
  for (const auto flavour : {plan::Flavour::pc_icn, plan::Flavour::pl_icn}) {
    ConvertOptions options;
    options.flavour = flavour;
    options.input = affine_of({-1, 1}, 8);
    const auto converted = convert(graph, layers, problem, plan::all_at(problem, 8, 4),
                                   observe(graph, inputs), options);
    const auto tensors =
        reference::run(converted.net, {std::vector<uint8_t>(inputs[0].size(), 200)});
    const IntOp& op = converted.net.ops[0];
    const IntTensor& out = converted.net.tensors[op.out];
    for (size_t c = 0; c < 3; ++c) {
      const double constant =
          c == 2 ? (conv.bias[c] - norm.mean[c]) * norm.gamma[c] /
                           std::sqrt(norm.variance[c] + norm.epsilon) + norm.beta[c]
                 : norm.beta[c];
      const double expected =
          std::clamp(std::floor(constant / out.scale + 0.5), 0.0, 255.0);
      for (size_t p = 0; p < 4; ++p)
        EXPECT_NEAR(tensors[op.out][p * 8 + c], expected, 1e-9) << c;
    }
    EXPECT_THAT(converted.repairs, testing::Contains(testing::HasSubstr("conv channel 0: constant")));
    EXPECT_THAT(converted.repairs, testing::Contains(testing::HasSubstr("conv channel 2: constant")));
  }
}

// Weights far from zero with a narrow spread: their zero point leaves 16 bits.
TEST(Repairs, ZeroPointsStayInSixteenBits) {
  std::vector<float> weights(27);
  for (size_t i = 0; i < weights.size(); ++i) weights[i] = 1000.0f + 0.001f * static_cast<float>(i);
  for (const uint8_t bits : {8, 4, 2})
    for (const auto method : {WeightMethod::min_max, WeightMethod::least_squares}) {
      const auto q = quantise_weights(weights, bits, method, false);
      EXPECT_LE(std::abs(q.zero_point), kMaxZeroPoint);
      for (size_t i = 0; i < weights.size(); ++i)
        EXPECT_NEAR(q.scale * (q.stored[i] - q.zero_point), weights[i], q.scale);
    }
}

TEST(Weights, LeastSquaresIsNeverWorseThanMinMax) {
  zoo::Random random(8);
  for (int trial = 0; trial < 50; ++trial) {
    std::vector<float> weights(64);
    for (auto& w : weights) {
      const double u = random.real(-1, 1);
      w = static_cast<float>(u * u * u + random.real(-0.3, 0.3));
    }
    for (const uint8_t bits : {8, 4, 2}) {
      const auto error = [&](WeightMethod method) {
        const auto q = quantise_weights(weights, bits, method, false);
        double sum = 0;
        for (size_t i = 0; i < weights.size(); ++i)
          sum += std::pow(weights[i] - q.scale * (q.stored[i] - q.zero_point), 2);
        return sum;
      };
      EXPECT_LE(error(WeightMethod::least_squares), error(WeightMethod::min_max));
    }
  }
}

// A half-normal tensor with one far outlier: every method but min-max clips it.
TEST(Ranges, OutliersAreClippedExceptByMinMax) {
  Distribution d;
  d.max = 100;
  d.bins.assign(2048, 0);
  for (size_t i = 0; i < 200; ++i)
    d.bins[i] = static_cast<uint64_t>(1e6 * std::exp(-0.5 * std::pow(i / 60.0, 2)));
  d.bins[2047] = 1;
  EXPECT_EQ(choose_range(d, 4, {RangeMethod::min_max, 99.99, true}).high, 100);
  for (const auto method : {RangeMethod::percentile, RangeMethod::mse, RangeMethod::kl}) {
    const Range range = choose_range(d, 4, {method, 99.99, true});
    EXPECT_LT(range.high, 20) << static_cast<int>(method);
    EXPECT_GT(range.high, 2) << static_cast<int>(method);
    EXPECT_EQ(range.low, 0);
  }
}

}  // namespace
}  // namespace mcusim::quantise
