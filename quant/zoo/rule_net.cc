// SPDX-License-Identifier: MIT
#include "quant/zoo/rule_net.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "memmap/base/error.h"
#include "quant/quantise/accumulate.h"
#include "quant/quantise/icn.h"
#include "quant/quantise/structure.h"
#include "quant/zoo/random.h"

namespace mcusim::zoo {
namespace {

using graph::Kind;

// Where the outputs of a channel are aimed at, in levels: mean within `low` ..
// `high`, one standard deviation `spread`. Two of those stay inside the range, so
// about a twentieth saturates; 2-bit outputs need most of their four levels.
struct Target {
  double low, high, spread;
};
Target target_of(uint8_t bits) {
  switch (bits) {
    case 8: return {72, 184, 34};
    case 4: return {5.5, 10.5, 2.6};
    default: return {1.8, 2.2, 0.85};
  }
}

struct Moments {
  double mean = 0, deviation = 0;
};

Moments moments(const std::vector<int32_t>& phi, size_t channel, size_t channels) {
  double sum = 0, squares = 0, count = 0;
  for (size_t i = channel; i < phi.size(); i += channels, ++count) {
    sum += phi[i];
    squares += static_cast<double>(phi[i]) * phi[i];
  }
  const double mean = sum / count;
  return {mean, std::sqrt(std::max(0.0, squares / count - mean * mean))};
}

class RuleNet {
 public:
  RuleNet(const graph::Graph& graph, const plan::Problem& problem, const plan::Widths& widths,
          plan::Mode mode, uint64_t seed)
      : graph_(graph), problem_(problem), widths_(widths), mode_(mode), random_(seed) {}

  IntNet build(const graph::LayerGraph& layers) {
    net_.name = graph_.name;
    for (size_t i = 0; i < layers.layers.size(); ++i) {
      // Tensors appear in the order in which plan::problem_of numbered them.
      const auto& layer = layers.layers[i];
      const auto& planned = problem_.layers[i];
      add_tensor(layer.in0, planned.inputs[0], 0);
      if (i == 0) {
        net_.inputs = {tensor_of_.at(layer.in0)};
        values_[net_.inputs[0]] = seeded_input(net_, random_.next());
      }
      add_tensor(layer.out, planned.output, zero_point_of(layer, planned.output));
      add_op(layer, i);
    }
    for (const int output : layers.outputs) net_.outputs.push_back(tensor_of_.at(output));
    return std::move(net_);
  }

 private:
  // Linear outputs (no relu behind) have their zero inside the range.
  int32_t zero_point_of(const graph::Layer& layer, int planned) {
    const int32_t top = (1 << widths_.tensor_bits[planned]) - 1;
    if (layer.kind == Kind::avg_pool) return net_.tensors[tensor_of_.at(layer.in0)].zero_point;
    if (layer.clamp >= 0 || layer.kind == Kind::add) return 0;  // add: with its inputs
    return random_.integer(top / 4, top - top / 4);
  }

  void add_tensor(int value, int planned, int32_t zero_point) {
    if (!tensor_of_.try_emplace(value, static_cast<int>(net_.tensors.size())).second) return;
    IntTensor tensor =
        quantise::structural_tensor(graph_.values[value], widths_.tensor_bits[planned]);
    const bool input = graph_.inputs[0] == value;
    // An image in [-1, 1] has scale 2/255 and zero point 127, a PACT activation
    // clipped at 6 starts at 0 (paper_methods A.1).
    tensor.zero_point = input ? 127 : zero_point;
    tensor.scale = static_cast<float>((input ? 2.0 : 6.0) / ((1 << tensor.bits) - 1));
    net_.tensors.push_back(std::move(tensor));
  }

  void add_op(const graph::Layer& layer, size_t index) {
    IntOp op = quantise::structural_op(graph_, layer, index, tensor_of_);
    op.act_max = (1 << net_.tensors[op.out].bits) - 1;
    if (layer.kind == Kind::avg_pool) {
      op.scalar_mult[0] = 1 << 30;  // 1.0: input and output share a scale
      op.scalar_shift[0] = 1;
      values_[op.out] = quantise::run_icn(net_, op, values_.at(op.in0));
    } else if (layer.kind == Kind::add) {
      add_requantisation(op);
    } else if (layer.kind == Kind::conv || layer.kind == Kind::fully_connected) {
      make_weights(op, index);
      choose_requantisation(op, index);
    } else {
      throw Error("zoo: {}: no rule for a {}", layer.name, name_of(layer.kind));
    }
    net_.ops.push_back(std::move(op));
  }

  void make_weights(IntOp& op, size_t index) {
    op.weight_bits = widths_.weight_bits[index];
    const int32_t top = (1 << op.weight_bits) - 1;
    op.weights.resize(problem_.layers[index].weights);
    // The sum of two uniform numbers: peaked in the middle, as trained weights are.
    for (auto& weight : op.weights)
      weight = static_cast<uint8_t>((random_.integer(0, top) + random_.integer(0, top + 1)) / 2);
    const int32_t middle = (top + 1) / 2, near = top / 8;
    if (mode_ == plan::Mode::pl) {
      op.weight_zero_points = {middle + random_.integer(-near, near)};
      return;
    }
    for (uint32_t c = 0; c < net_.tensors[op.out].c; ++c) {
      // Of trained networks a fifth of the channels lies outside the weights' own
      // range (paper_methods A.2); here a twentieth, which the INT16 field must hold.
      const bool outside = random_.integer(0, 19) == 0;
      op.weight_zero_points.push_back(outside ? random_.integer(-2 * top, 3 * top)
                                              : middle + random_.integer(-near, near));
    }
  }

  void choose_requantisation(IntOp& op, size_t index) {
    const IntTensor& out = net_.tensors[op.out];
    const auto phi = quantise::accumulate(net_, op, values_.at(op.in0));
    const Target target = target_of(out.bits);
    std::vector<Moments> channels(out.c);
    double pooled = 0;
    for (uint32_t c = 0; c < out.c; ++c) {
      channels[c] = moments(phi, c, out.c);
      pooled += channels[c].deviation * channels[c].deviation / out.c;
    }
    const bool single_cell = out.h * out.w == 1;
    if (single_cell) pooled = classifier_variance(op);
    const bool folded =
        plan::flavour_of(problem_, widths_, index, mode_) == plan::Flavour::pl_fb || single_cell;
    if (folded) push_multiplier(op, target.spread / std::max(1.0, std::sqrt(pooled)));
    for (uint32_t c = 0; c < out.c; ++c) {
      if (!folded) {
        const double slope = target.spread / std::max(1.0, channels[c].deviation);
        // Batch norm may learn a negative gamma; a few do.
        push_multiplier(op, random_.integer(0, 15) == 0 ? -slope : slope);
      }
      const auto m = quantise::value_of({op.mult.back(), op.shift.back()});
      const double aim = random_.real(target.low, target.high);
      const double bias = std::round((aim - out.zero_point) / m - channels[c].mean);
      op.bias.push_back(static_cast<int32_t>(std::clamp(bias, -1e9, 1e9)));
    }
    values_[op.out] = quantise::run_icn(net_, op, values_.at(op.in0));
  }

  // One value per channel tells nothing about a channel: what the weights, of a
  // deviation of a fifth of their range, make of the features' differences.
  double classifier_variance(const IntOp& op) const {
    const auto& features = values_.at(op.in0);
    const double deviation =
        moments({features.begin(), features.end()}, 0, 1).deviation * ((1 << op.weight_bits) - 1) / 5;
    return deviation * deviation * static_cast<double>(features.size());
  }

  void push_multiplier(IntOp& op, double slope) {
    const auto m = quantise::multiplier_of(slope);
    op.mult.push_back(m.mult);
    op.shift.push_back(m.shift);
  }

  // Equal weight to both inputs in real units; gain and zero point from the sums.
  void add_requantisation(IntOp& op) {
    const IntTensor &a = net_.tensors[op.in0], &b = net_.tensors[op.in1];
    const auto &x = values_.at(op.in0), &y = values_.at(op.in1);
    std::vector<int32_t> sums(x.size());
    for (size_t i = 0; i < sums.size(); ++i)
      sums[i] = static_cast<int32_t>(
          std::lround(1024 * (a.scale * static_cast<float>(x[i] - a.zero_point) +
                              b.scale * static_cast<float>(y[i] - b.zero_point))));
    const Moments all = moments(sums, 0, 1);
    IntTensor& out = net_.tensors[op.out];
    const Target target = target_of(out.bits);
    const double gain = target.spread * 1.3 / std::max(1.0, all.deviation);
    const double middle = (target.low + target.high) / 2;
    out.zero_point = static_cast<int32_t>(
        std::clamp<double>(std::round(middle - gain * all.mean), 0, (1 << out.bits) - 1));
    quantise::set_add_factors(op, 1024 * gain * a.scale, 1024 * gain * b.scale);
    values_[op.out] = quantise::run_icn(net_, op, x, y);
  }

  const graph::Graph& graph_;
  const plan::Problem& problem_;
  const plan::Widths& widths_;
  const plan::Mode mode_;
  Random random_;
  IntNet net_;
  std::map<int, int> tensor_of_;                // graph value -> tensor
  std::map<int, std::vector<uint8_t>> values_;  // tensor -> stored values
};

}  // namespace

std::vector<uint8_t> seeded_input(const IntNet& net, uint64_t seed) {
  const IntTensor& input = net.tensors[net.inputs[0]];
  Random random(seed);
  std::vector<uint8_t> values(size_t{input.h} * input.w * input.c);
  for (auto& value : values)
    value = static_cast<uint8_t>(random.integer(0, (1 << input.bits) - 1));
  return values;
}

IntNet rule_net(const graph::Graph& graph, const graph::LayerGraph& layers,
                const plan::Problem& problem, const plan::Widths& widths, plan::Mode mode,
                uint64_t seed) {
  return RuleNet(graph, problem, widths, mode, seed).build(layers);
}

LevelUse level_use(const std::vector<uint8_t>& values, uint8_t bits) {
  const int top = (1 << bits) - 1;
  std::vector<uint64_t> counts(256);
  for (const uint8_t value : values) ++counts[value];
  LevelUse use;
  for (const uint64_t count : counts) use.levels += count > 0;
  use.saturated = static_cast<double>(counts[0] + counts[top]) / std::max<size_t>(1, values.size());
  return use;
}

}  // namespace mcusim::zoo
