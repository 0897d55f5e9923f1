// SPDX-License-Identifier: MIT
// A small network of mixed widths for image and machine tests: convolution,
// depthwise, pointwise and fully connected, weights and input from a seed.
#pragma once

#include <random>
#include <vector>

#include "kernels/host/int_net.h"
#include "memmap/arena.h"

namespace mcusim::testing {

struct LayerSpec {
  net::OpKind kind;
  uint8_t weight_bits, out_bits;
  uint32_t out_h, out_w, out_c;
  uint32_t kernel, stride, pad_before, pad_after;
  int8_t shift;  // N0: output = acc * 2^(N0 - 1)
};

inline IntNet make_chain(const std::vector<LayerSpec>& layers, uint32_t h, uint32_t w, uint32_t c,
                         uint32_t seed = 1) {
  std::mt19937 random(seed);
  IntNet net;
  net.name = "small";
  IntTensor tensor;
  tensor.name = "input";
  tensor.h = h, tensor.w = w, tensor.c = c;
  tensor.zero_point = 128;
  net.tensors.push_back(tensor);
  for (size_t i = 0; i < layers.size(); ++i) {
    const LayerSpec& layer = layers[i];
    const IntTensor in = net.tensors.back();
    IntTensor out;
    out.name = "t" + std::to_string(i + 1);
    out.h = layer.out_h, out.w = layer.out_w, out.c = layer.out_c;
    out.bits = layer.out_bits;
    IntOp op;
    op.name = "layer" + std::to_string(i);
    op.kind = layer.kind;
    op.in0 = static_cast<int>(i), op.out = static_cast<int>(i + 1);
    op.layer_id = static_cast<uint16_t>(i);
    op.weight_bits = layer.weight_bits;
    op.act_max = (1 << layer.out_bits) - 1;
    size_t weights = size_t{out.c} * in.c * layer.kernel * layer.kernel;
    if (layer.kind == net::OpKind::depthwise) weights /= in.c;
    if (layer.kind == net::OpKind::fully_connected) weights = size_t{out.c} * in.h * in.w * in.c;
    if (layer.kind != net::OpKind::fully_connected) {
      op.kernel_h = op.kernel_w = layer.kernel;
      op.stride_h = op.stride_w = layer.stride;
      op.pad_top = op.pad_left = layer.pad_before;
      op.pad_bottom = op.pad_right = layer.pad_after;
    }
    for (size_t k = 0; k < weights; ++k)
      op.weights.push_back(static_cast<uint8_t>(random() & ((1u << layer.weight_bits) - 1)));
    op.weight_zero_points = {1 << (layer.weight_bits - 1)};
    for (uint32_t k = 0; k < out.c; ++k) {
      op.bias.push_back(static_cast<int32_t>(random() % 200));
      op.mult.push_back(static_cast<int32_t>((1u << 30) + random() % (1u << 29)));
      op.shift.push_back(layer.shift);
    }
    net.tensors.push_back(out);
    net.ops.push_back(op);
  }
  net.inputs = {0};
  net.outputs = {static_cast<int>(net.tensors.size()) - 1};
  std::vector<Buffer> buffers;
  for (uint32_t i = 0; i < net.tensors.size(); ++i)
    buffers.push_back({storage_bytes(net.tensors[i]), i ? i - 1 : 0,
                       i < net.ops.size() ? i : i - 1});
  const auto placement = place(buffers);
  for (size_t i = 0; i < net.tensors.size(); ++i)
    net.tensors[i].arena_offset = placement.offsets[i];
  net.arena_bytes = placement.arena_bytes;
  return net;
}

inline IntNet small_net(uint32_t seed = 1) {
  using net::OpKind;
  return make_chain({{OpKind::conv2d, 4, 4, 4, 4, 6, 3, 2, 0, 1, -7},
                     {OpKind::depthwise, 8, 2, 4, 4, 6, 3, 1, 1, 1, -9},
                     {OpKind::conv2d, 2, 8, 4, 4, 5, 1, 1, 0, 0, 3},
                     {OpKind::fully_connected, 8, 8, 1, 1, 7, 1, 1, 0, 0, -10}},
                    8, 8, 3, seed);
}

inline std::vector<uint8_t> random_input(size_t count, uint32_t seed = 7) {
  std::mt19937 random(seed);
  std::vector<uint8_t> values(count);
  for (auto& value : values) value = static_cast<uint8_t>(random());
  return values;
}

}  // namespace mcusim::testing
