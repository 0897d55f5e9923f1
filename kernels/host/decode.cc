// SPDX-License-Identifier: MIT
// Container bytes to IntNet: layouts undone, biases unfolded, views as origins.
// Runs after `validate`, so every offset and size here is known to be good.
#include <algorithm>

#include "kernels/host/bias_fold.h"
#include "kernels/host/container.h"
#include "kernels/host/int_net.h"
#include "kernels/host/names.h"

namespace mcusim {
namespace {

template <typename T>
std::vector<T> array_at(const Container& c, uint32_t offset, size_t count) {
  std::vector<T> values(count);
  const auto bytes = c.bytes.range(offset, count * sizeof(T));
  if (count > 0) std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

IntTensor decode_tensor(const Container& c, const net::Tensor& from) {
  IntTensor t;
  t.name = c.text(from.name);
  t.h = from.h;
  t.w = from.w;
  t.c = from.c;
  t.bits = from.bits;
  t.signed_view = (from.flags & net::kTensorSigned) != 0;
  t.zero_point = from.zero_point;
  t.scale = from.scale;
  t.arena_offset = from.arena_offset;
  if (from.parent != net::kNone) {
    const uint32_t distance = from.arena_offset - c.tensors[from.parent].arena_offset;
    t.parent = from.parent;
    t.origin_y = distance / from.row_stride_bytes;
    t.origin_x = distance % from.row_stride_bytes / from.pixel_stride_bytes;
    t.origin_c = distance % from.pixel_stride_bytes * 8 / from.bits;
  }
  return t;
}

void decode_weights(const Container& c, const net::Op& from, IntOp& op) {
  const net::Tensor& in = c.tensors[from.in0];
  const net::Tensor& out = c.tensors[from.out];
  const WeightShape shape = weight_shape(from, in, out);
  op.weight_bits = from.weight_bits;
  op.weights = layout_row(layout_for(shape))
                   .unpack(shape, c.bytes.range(from.weights_offset, from.weights_bytes));
  if (from.flags & net::kOpPerChannelZeroPoint) {
    const auto zeros = array_at<int16_t>(c, from.zero_points_offset, out.c);
    op.weight_zero_points.assign(zeros.begin(), zeros.end());
  } else {
    op.weight_zero_points = {from.weight_zero_point};
  }
  op.bias = array_at<int32_t>(c, from.bias_offset, out.c);
  const auto terms = zero_point_terms(shape, op.weights, op.weight_zero_points, in.zero_point);
  for (size_t i = 0; i < op.bias.size(); ++i)
    op.bias[i] = static_cast<int32_t>(static_cast<uint32_t>(op.bias[i]) + terms[i]);
  if (op.contract == net::Contract::thresholds) {
    op.thresholds = array_at<int32_t>(c, from.thresholds_offset, out.c * ((1u << out.bits) - 1));
    op.directions = array_at<uint8_t>(c, from.directions_offset, out.c);
  } else {
    const size_t count = from.flags & net::kOpPerChannelMult ? out.c : 1;
    op.mult = array_at<int32_t>(c, from.mult_offset, count);
    op.shift = array_at<int8_t>(c, from.shift_offset, count);
  }
}

IntOp decode_op(const Container& c, const net::Op& from) {
  IntOp op;
  op.name = c.text(from.name);
  op.kind = static_cast<net::OpKind>(from.kind);
  op.contract = static_cast<net::Contract>(from.contract);
  op.in0 = from.in0;
  op.in1 = from.in1 == net::kNone ? -1 : from.in1;
  op.out = from.out;
  op.layer_id = from.layer_id;
  op.kernel_h = from.kernel_h;
  op.kernel_w = from.kernel_w;
  op.stride_h = from.stride_h;
  op.stride_w = from.stride_w;
  op.pad_top = from.pad_top;
  op.pad_left = from.pad_left;
  op.pad_bottom = from.pad_bottom;
  op.pad_right = from.pad_right;
  op.half_step = (from.flags & net::kOpHalfStep) != 0;
  op.act_min = from.act_min;
  op.act_max = from.act_max;
  std::copy_n(from.scalar_mult, 3, op.scalar_mult);
  std::copy_n(from.scalar_shift, 3, op.scalar_shift);
  if (find_kind(op.kind)->has_weights) decode_weights(c, from, op);
  return op;
}

}  // namespace

IntNet decode(const uint8_t* file, size_t bytes) {
  validate(file, bytes);
  const Container c = read_container({file, bytes});
  IntNet net;
  net.name = c.text(c.header.name);
  net.arena_bytes = c.header.arena_bytes;
  for (const net::Tensor& tensor : c.tensors) net.tensors.push_back(decode_tensor(c, tensor));
  for (const net::Op& op : c.ops) net.ops.push_back(decode_op(c, op));
  net.inputs.assign(c.inputs.begin(), c.inputs.end());
  net.outputs.assign(c.outputs.begin(), c.outputs.end());
  return net;
}

}  // namespace mcusim
