// SPDX-License-Identifier: MIT
#include "quant/quantise/placeholder.h"

#include <map>
#include <random>

#include "quant/pack/groups.h"
#include "quant/quantise/structure.h"

namespace mcusim::quantise {
namespace {

class Maker {
 public:
  Maker(const graph::Graph& graph, const plan::Problem& problem, const plan::Widths& widths,
        plan::Mode mode)
      : graph_(graph), problem_(problem), widths_(widths), mode_(mode) {}

  IntNet make(const graph::LayerGraph& layers) {
    net_.name = graph_.name;
    for (size_t i = 0; i < layers.layers.size(); ++i) {
      const auto& layer = layers.layers[i];
      const auto& planned = problem_.layers[i];
      const int in = tensor(layer.in0, planned.inputs[0]);
      if (i == 0) net_.inputs = {in};
      const int out = tensor(layer.out, planned.output);
      IntOp op = structural_op(graph_, layer, i, tensors_);
      op.act_max = (1 << net_.tensors[out].bits) - 1;
      if (op.kind == net::OpKind::pad) op.kernel_h = op.kernel_w = 1;
      fill(op, i);
      append_op(net_, std::move(op), layer.groups);
    }
    for (const int output : layers.outputs) net_.outputs.push_back(tensors_.at(output));
    return std::move(net_);
  }

 private:
  int tensor(int value, int planned) {
    const auto [at, added] = tensors_.try_emplace(value, static_cast<int>(net_.tensors.size()));
    if (added)
      net_.tensors.push_back(structural_tensor(graph_.values[value], widths_.tensor_bits[planned]));
    return at->second;
  }

  // Weights within a few steps of zero: no accumulator leaves its bound.
  void fill(IntOp& op, size_t index) {
    const bool requantises = op.kind != net::OpKind::max_pool && op.kind != net::OpKind::pad &&
                             op.kind != net::OpKind::reshape;
    op.contract = requantises ? net::Contract::icn_floor : net::Contract::none;
    op.half_step = requantises;
    if (!requantises) return;
    const auto& layer = problem_.layers[index];
    if (layer.weights == 0) {
      op.scalar_mult[0] = 1 << 30;
      if (op.kind == net::OpKind::add) op.scalar_mult[1] = 1 << 30;
      op.scalar_shift[op.kind == net::OpKind::add ? 2 : 0] = 1;
      return;
    }
    op.weight_bits = widths_.weight_bits[index];
    const int32_t zero = 1 << (op.weight_bits - 1);
    const plan::Flavour flavour = plan::flavour_of(problem_, widths_, index, mode_);
    for (uint64_t i = 0; i < layer.weights; ++i)
      op.weights.push_back(static_cast<uint8_t>(zero + static_cast<int32_t>(random_() >> 31)));
    const size_t channels = layer.channels;
    const size_t scales = flavour == plan::Flavour::pl_fb ? 1 : channels;
    for (size_t c = 0; c < scales; ++c) {
      op.mult.push_back(static_cast<int32_t>((1u << 30) + (random_() >> 3)));
      op.shift.push_back(static_cast<int8_t>(-(shifts_++ % 31)));
    }
    for (size_t c = 0; c < channels; ++c) op.bias.push_back(static_cast<int32_t>(random_() >> 8));
    for (size_t c = 0; c < (flavour == plan::Flavour::pc_icn ? channels : 1); ++c)
      op.weight_zero_points.push_back(zero - static_cast<int32_t>(random_() >> 29));
  }

  const graph::Graph& graph_;
  const plan::Problem& problem_;
  const plan::Widths& widths_;
  const plan::Mode mode_;
  IntNet net_;
  std::map<int, int> tensors_;  // graph value -> tensor
  // Lists differ from layer to layer: equal ones would be stored once.
  std::mt19937 random_{1};
  int shifts_ = 0;
};

}  // namespace

IntNet placeholder_net(const graph::Graph& graph, const graph::LayerGraph& layers,
                       const plan::Problem& problem, const plan::Widths& widths, plan::Mode mode) {
  return Maker(graph, problem, widths, mode).make(layers);
}

}  // namespace mcusim::quantise
