// SPDX-License-Identifier: MIT
#include "quant/quantise/structure.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "memmap/base/error.h"
#include "quant/quantise/icn.h"

namespace mcusim::quantise {
namespace {

using graph::Kind;

net::OpKind kind_of(const graph::Layer& layer) {
  switch (layer.kind) {
    case Kind::conv: return layer.depthwise ? net::OpKind::depthwise : net::OpKind::conv2d;
    case Kind::fully_connected: return net::OpKind::fully_connected;
    case Kind::avg_pool: return net::OpKind::avg_pool;
    case Kind::max_pool: return net::OpKind::max_pool;
    case Kind::add: return net::OpKind::add;
    case Kind::flatten: return net::OpKind::reshape;
    case Kind::pad: return net::OpKind::pad;
    default: throw Error("{}: no integer form of a {}", layer.name, name_of(layer.kind));
  }
}

}  // namespace

IntTensor structural_tensor(const graph::Value& value, uint8_t bits) {
  IntTensor tensor;
  tensor.name = value.name;
  tensor.h = value.h;
  tensor.w = value.w;
  tensor.c = value.c;
  tensor.bits = bits;
  return tensor;
}

IntOp structural_op(const graph::Graph& graph, const graph::Layer& layer, size_t index,
                    const std::map<int, int>& tensor_of) {
  const auto& node = graph.nodes[layer.node];
  IntOp op;
  op.name = layer.name;
  op.kind = kind_of(layer);
  op.in0 = tensor_of.at(layer.in0);
  op.in1 = layer.in1 >= 0 ? tensor_of.at(layer.in1) : -1;
  op.out = tensor_of.at(layer.out);
  op.layer_id = static_cast<uint16_t>(index + 1);
  op.kernel_h = node.kernel_h;
  op.kernel_w = node.kernel_w;
  op.stride_h = node.stride_h;
  op.stride_w = node.stride_w;
  op.pad_top = node.pad_top;
  op.pad_left = node.pad_left;
  op.pad_bottom = node.pad_bottom;
  op.pad_right = node.pad_right;
  return op;
}

void set_add_factors(IntOp& op, double factor0, double factor1) {
  const double factors[] = {factor0, factor1};
  const int8_t shift = multiplier_of(std::max(std::fabs(factor0), std::fabs(factor1))).shift;
  constexpr long long kMost = std::numeric_limits<int32_t>::max();
  for (int i = 0; i < 2; ++i) {
    op.scalar_mult[i] = static_cast<int32_t>(
        std::clamp(std::llround(std::ldexp(factors[i], 31 - shift)), -kMost, kMost));
    op.scalar_shift[i] = 0;
  }
  op.scalar_mult[2] = 0;
  op.scalar_shift[2] = shift;
}

IntNet structure_of(const graph::Graph& graph, const graph::LayerGraph& layers,
                    const plan::Problem& problem, const plan::Widths& widths) {
  IntNet net;
  net.name = graph.name;
  std::map<int, int> tensor_of;
  const auto add = [&](int value, int planned) {
    if (tensor_of.try_emplace(value, static_cast<int>(net.tensors.size())).second)
      net.tensors.push_back(structural_tensor(graph.values[value], widths.tensor_bits[planned]));
  };
  for (size_t i = 0; i < layers.layers.size(); ++i) {
    const auto& layer = layers.layers[i];
    add(layer.in0, problem.layers[i].inputs[0]);
    if (layer.in1 >= 0) add(layer.in1, problem.layers[i].inputs.back());
    add(layer.out, problem.layers[i].output);
    net.ops.push_back(structural_op(graph, layer, i, tensor_of));
    net.ops.back().weight_bits = widths.weight_bits[i];
  }
  for (const int input : graph.inputs)
    if (tensor_of.count(input)) net.inputs.push_back(tensor_of.at(input));
  for (const int output : layers.outputs) net.outputs.push_back(tensor_of.at(output));
  return net;
}

}  // namespace mcusim::quantise
