// SPDX-License-Identifier: MIT
#include "quant/quantise/convert.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "memmap/base/error.h"
#include "quant/pack/groups.h"
#include "quant/quantise/icn.h"
#include "quant/quantise/structure.h"
#include "quant/quantise/thresholds.h"
#include "quant/quantise/weighted.h"

namespace mcusim::quantise {
namespace {

using graph::Kind;

class Converter {
 public:
  Converter(const graph::Graph& graph, const plan::Problem& problem, const plan::Widths& widths,
            const std::vector<Distribution>& values, const ConvertOptions& options)
      : graph_(graph), problem_(problem), widths_(widths), values_(values), options_(options) {}

  Converted run(const graph::LayerGraph& layers) {
    auto& net = result_.net;
    net.name = graph_.name;
    for (size_t i = 0; i < layers.layers.size(); ++i) {
      const auto& layer = layers.layers[i];
      const auto& planned = problem_.layers[i];
      if (i == 0) {
        net.inputs = {add_tensor(layer.in0, planned.inputs[0], options_.input)};
        net.tensors[0].signed_view = options_.input_signed;
      }
      if (!tensor_of_.count(layer.in0) || (layer.in1 >= 0 && !tensor_of_.count(layer.in1)))
        throw Error("{}: {}: reads a value that no layer makes", graph_.name, layer.name);
      const Range range = output_range(layer, i);
      const bool keeps = layer.kind == Kind::max_pool || layer.kind == Kind::pad ||
                         layer.kind == Kind::flatten;
      const Affine affine =
          keeps                     ? scale_of(layer.in0)
          : options_.trained.empty() ? affine_of(range, widths_.tensor_bits[planned.output])
                                     : options_.trained[i].output;
      add_tensor(layer.out, planned.output, affine);
      result_.layers.push_back({layer.name, flavour_of(i), range, affine, {}});
      add_op(layer, i);
    }
    for (const int output : layers.outputs) net.outputs.push_back(tensor_of_.at(output));
    return std::move(result_);
  }

 private:
  plan::Flavour flavour_of(size_t layer) const {
    return options_.flavour ? *options_.flavour
                            : plan::flavour_of(problem_, widths_, layer, plan::Mode::pl);
  }

  int add_tensor(int value, int planned, Affine affine) {
    IntTensor tensor = structural_tensor(graph_.values[value], widths_.tensor_bits[planned]);
    tensor.scale = affine.scale;
    tensor.zero_point = affine.zero_point;
    tensor_of_[value] = static_cast<int>(result_.net.tensors.size());
    result_.net.tensors.push_back(std::move(tensor));
    return tensor_of_[value];
  }

  Affine scale_of(int value) const {
    const auto& tensor = result_.net.tensors[tensor_of_.at(value)];
    return {tensor.scale, tensor.zero_point};
  }

  // A clip from the values, within what the layer's activation allows.
  Range output_range(const graph::Layer& layer, size_t index) const {
    const uint8_t bits = widths_.tensor_bits[problem_.layers[index].output];
    if (!options_.trained.empty()) return range_of(options_.trained[index].output, bits);
    Range range = choose_range(values_[layer.out], bits, options_.ranges);
    if (layer.clamp >= 0) {
      const auto& clamp = graph_.nodes[layer.clamp];
      range.low = std::clamp(range.low, std::min(0.0f, clamp.low), std::max(0.0f, clamp.high));
      range.high = std::clamp(range.high, std::min(0.0f, clamp.low), std::max(0.0f, clamp.high));
    }
    return range;
  }

  void add_op(const graph::Layer& layer, size_t index) {
    auto& net = result_.net;
    IntOp op = structural_op(graph_, layer, index, tensor_of_);
    op.act_max = (1 << net.tensors[op.out].bits) - 1;
    op.contract = net::Contract::none;
    set_clamp(layer, op);
    switch (layer.kind) {
      case Kind::conv:
      case Kind::fully_connected: add_weighted(layer, index, op); break;
      case Kind::avg_pool: average(op); break;
      case Kind::add: sum(op); break;
      case Kind::pad: op.kernel_h = op.kernel_w = 1; break;
      default: break;  // values pass unchanged
    }
    append_op(net, std::move(op), layer.groups);
  }

  // Clips inside the stored range; at its ends the range itself clips.
  void set_clamp(const graph::Layer& layer, IntOp& op) const {
    const IntTensor& out = result_.net.tensors[op.out];
    if (layer.clamp < 0) return;
    const auto& clamp = graph_.nodes[layer.clamp];
    const auto place = [&](float bound, int32_t end) {
      if (!std::isfinite(bound)) return end;
      const double steps = std::nearbyint(bound / static_cast<double>(out.scale)) + out.zero_point;
      return static_cast<int32_t>(std::clamp<double>(steps, 0, (1 << out.bits) - 1));
    };
    op.act_min = place(clamp.low, op.act_min);
    op.act_max = std::max(op.act_min, place(clamp.high, op.act_max));
  }

  void add_weighted(const graph::Layer& layer, size_t index, IntOp& op) {
    auto& net = result_.net;
    const IntTensor &in = net.tensors[op.in0], &out = net.tensors[op.out];
    op.contract = net::Contract::icn_floor;
    RealLayer real = real_layer(graph_, layer);
    if (options_.bias_correction && options_.trained.empty()) real.means = mean_inputs(layer, real);
    const LayerScales scales{{in.scale, in.zero_point}, {out.scale, out.zero_point},
                             in.bits, out.bits, widths_.weight_bits[index]};
    result_.layers.back().real =
        options_.trained.empty()
            ? quantise_weighted(real, scales, flavour_of(index), options_.weights,
                                options_.ranges.half_step, op, result_.repairs)
            : store_trained(real, scales, flavour_of(index), options_.trained[index].weights,
                            options_.ranges.half_step, op, result_.repairs);
    if (layer.depthwise) {
      // [c][taps] to [taps][c].
      const auto natural = op.weights;
      for (size_t c = 0; c < real.channels; ++c)
        for (size_t t = 0; t < real.depth; ++t)
          op.weights[t * real.channels + c] = natural[c * real.depth + t];
    }
    if (flavour_of(index) != plan::Flavour::pc_thresholds) return;
    if (out.bits < 8)
      to_thresholds(op, out);
    else
      result_.repairs.push_back(op.name + ": 8-bit output keeps multipliers, not thresholds");
  }

  // Per weight in the order of real_layer; padding counts as an average cell.
  std::vector<double> mean_inputs(const graph::Layer& layer, const RealLayer& real) const {
    const auto& channels = values_[layer.in0].channel_means;
    const size_t groups = graph_.nodes[layer.node].groups;
    const size_t in_group = channels.size() / groups, out_group = real.channels / groups;
    std::vector<double> means(groups == 1 ? real.depth : real.weights.size());
    for (size_t i = 0; i < means.size(); ++i)
      means[i] = channels[i / real.depth / out_group * in_group + i % in_group];
    return means;
  }

  void average(IntOp& op) {
    op.contract = net::Contract::icn_floor;
    op.half_step = options_.ranges.half_step;
    const auto& net = result_.net;
    const Multiplier m = multiplier_of(static_cast<double>(net.tensors[op.in0].scale) /
                                       net.tensors[op.out].scale);
    op.scalar_mult[0] = m.mult;
    op.scalar_shift[0] = m.shift;
  }

  void sum(IntOp& op) {
    op.contract = net::Contract::icn_floor;
    op.half_step = options_.ranges.half_step;
    const auto& net = result_.net;
    const double out = net.tensors[op.out].scale;
    set_add_factors(op, net.tensors[op.in0].scale / out, net.tensors[op.in1].scale / out);
  }

  const graph::Graph& graph_;
  const plan::Problem& problem_;
  const plan::Widths& widths_;
  const std::vector<Distribution>& values_;
  const ConvertOptions& options_;
  Converted result_;
  std::map<int, int> tensor_of_;  // graph value -> tensor
};

}  // namespace

Converted convert(const graph::Graph& graph, const graph::LayerGraph& layers,
                  const plan::Problem& problem, const plan::Widths& widths,
                  const std::vector<Distribution>& values, const ConvertOptions& options) {
  return Converter(graph, problem, widths, values, options).run(layers);
}

}  // namespace mcusim::quantise
