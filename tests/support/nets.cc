// SPDX-License-Identifier: MIT
#include "tests/support/nets.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/support/op_parameters.h"

namespace mcusim::testing {
namespace {

using net::Contract;
using net::Family;
using net::OpKind;

int32_t zero_point(uint8_t bits, Random& random) {
  switch (random.in(0, 3)) {
    case 0: return 0;
    case 1: return static_cast<int32_t>(most(bits));
    default: return static_cast<int32_t>(random.in(0, most(bits)));
  }
}

IntTensor tensor(const char* name, uint8_t bits, Random& random) {
  IntTensor t;
  t.name = name;
  t.bits = bits;
  t.zero_point = zero_point(bits, random);
  t.scale = static_cast<float>(random.in(1, 1000)) / 1024.0f;
  return t;
}

uint32_t channels(Random& random, const OpWish& wish) {
  if (random.coin(4)) return static_cast<uint32_t>(random.in(1, 4) * 4);
  if (!wish.small && random.coin(12)) return static_cast<uint32_t>(random.in(257, 600));
  return static_cast<uint32_t>(random.in(1, wish.small ? 13 : 37));
}

void choose_axis(Random& random, bool odd_kernels, uint32_t in, uint32_t& kernel, uint32_t& stride,
                 uint32_t& before, uint32_t& after) {
  kernel = odd_kernels && random.coin() ? 3 : static_cast<uint32_t>(random.in(1, 5));
  if (random.coin(10)) kernel = static_cast<uint32_t>(random.in(6, 11));
  if (random.coin(10)) kernel = in;
  stride = static_cast<uint32_t>(random.in(1, 3));
  do {
    before = static_cast<uint32_t>(random.in(0, kernel - 1));
    after = static_cast<uint32_t>(random.in(0, kernel - 1));
    if (in + before + after < kernel) kernel = in + before + after;
  } while (before >= kernel || after >= kernel);
}

void choose_window(IntOp& op, const IntTensor& in, IntTensor& out, Random& random) {
  const bool typical = op.kind == OpKind::depthwise;
  choose_axis(random, typical, in.h, op.kernel_h, op.stride_h, op.pad_top, op.pad_bottom);
  choose_axis(random, typical, in.w, op.kernel_w, op.stride_w, op.pad_left, op.pad_right);
  if (typical && random.coin()) op.stride_w = op.stride_h = static_cast<uint32_t>(random.in(1, 2));
  out.h = window_out(in.h, op.kernel_h, op.stride_h, op.pad_top, op.pad_bottom);
  out.w = window_out(in.w, op.kernel_w, op.stride_w, op.pad_left, op.pad_right);
}

// Puts a tensor inside a larger one, so that strides have gaps around it.
IntTensor wrap_in_parent(IntTensor& view, int parent, const char* name, Random& random) {
  IntTensor whole = view;
  whole.name = name;
  const uint32_t per_byte = 8u / view.bits;
  view.parent = parent;
  view.origin_y = static_cast<uint32_t>(random.in(0, 2));
  view.origin_x = static_cast<uint32_t>(random.in(0, 2));
  view.origin_c = per_byte * static_cast<uint32_t>(random.in(0, 2));
  whole.h += view.origin_y + static_cast<uint32_t>(random.in(0, 2));
  whole.w += view.origin_x + static_cast<uint32_t>(random.in(0, 2));
  whole.c += view.origin_c;
  if (view.c % per_byte == 0) whole.c += static_cast<uint32_t>(random.in(0, 5));
  return whole;
}

OpKind kind_of(Family family) {
  switch (family) {
    case Family::conv:
    case Family::pointwise: return OpKind::conv2d;
    case Family::depthwise: return OpKind::depthwise;
    case Family::fully_connected: return OpKind::fully_connected;
    case Family::avg_pool: return OpKind::avg_pool;
    case Family::max_pool: return OpKind::max_pool;
    case Family::add: return OpKind::add;
    case Family::pad: return OpKind::pad;
    case Family::reshape: return OpKind::reshape;
  }
  return OpKind::reshape;
}

void choose_reshape(const IntTensor& in, IntTensor& out, Random& random) {
  const uint32_t cells = in.h * in.w * in.c;
  switch (random.in(0, 3)) {
    case 0: out.h = 1, out.w = 1, out.c = cells; break;
    case 1: out.h = in.w, out.w = in.c, out.c = in.h; break;
    case 2: out.h = cells, out.w = 1, out.c = 1; break;
    default: out.h = in.c, out.w = 1, out.c = in.h * in.w; break;
  }
}

void choose_shapes(const RowKey& key, IntOp& op, IntTensor& in, IntTensor& out, Random& random,
                   const OpWish& wish) {
  const int64_t side = key.family == Family::fully_connected ? 4 : wish.small ? 6 : 9;
  in.h = static_cast<uint32_t>(random.in(1, side));
  in.w = static_cast<uint32_t>(random.in(1, side));
  in.c = channels(random, wish);
  if (!wish.small && random.coin(20)) {
    in.w = static_cast<uint32_t>(random.in(40, 130));
    in.h = static_cast<uint32_t>(random.in(1, 2));
    in.c = std::min(in.c, 40u);
  }
  if (wish.deep) {
    in.h = in.w = static_cast<uint32_t>(random.in(1, 3));
    in.c = static_cast<uint32_t>(key.family == Family::conv ? random.in(60, 130) : random.in(257, 600));
  }
  out.h = in.h;
  out.w = in.w;
  out.c = in.c;
  switch (key.family) {
    case Family::conv:
      // Not pointwise, and sums that stay in 32 bits whatever the values.
      do choose_window(op, in, out, random);
      while (op.kernel_h * op.kernel_w * op.stride_h * op.stride_w == 1 ||
             op.kernel_h * op.kernel_w * in.c > 20000);
      [[fallthrough]];
    case Family::pointwise: out.c = static_cast<uint32_t>(random.in(1, wish.deep ? 4 : wish.small ? 9 : 21)); break;
    case Family::depthwise:
    case Family::avg_pool:
    case Family::max_pool: choose_window(op, in, out, random); break;
    case Family::fully_connected:
      out.h = out.w = 1;
      out.c = static_cast<uint32_t>(random.in(1, wish.deep ? 4 : 21));
      break;
    case Family::add: break;
    case Family::pad:
      for (uint32_t* pad : {&op.pad_top, &op.pad_left, &op.pad_bottom, &op.pad_right})
        *pad = static_cast<uint32_t>(random.in(0, 3));
      out.h += op.pad_top + op.pad_bottom;
      out.w += op.pad_left + op.pad_right;
      break;
    case Family::reshape: choose_reshape(in, out, random); break;
  }
}

}  // namespace

uint32_t window_out(uint32_t in, uint32_t kernel, uint32_t stride, uint32_t before, uint32_t after) {
  return (in + before + after - kernel) / stride + 1;
}

IntNet random_op(const RowKey& key, Random& random) { return random_op(key, random, OpWish{}); }

IntNet random_op(const RowKey& key, Random& random, const OpWish& wish) {
  IntOp op;
  op.kind = kind_of(key.family);
  op.contract = key.contract;
  op.weight_bits = key.weight_bits;
  IntTensor in = tensor("in", key.in_bits, random), out = tensor("out", key.out_bits, random);
  choose_shapes(key, op, in, out, random, wish);
  const std::string shape = fmt::format("{}x{}x{}", in.h, in.w, in.c);
  if (key.contract == Contract::none) out.zero_point = in.zero_point;
  op.name = fmt::format("{}_{}_k{}x{}_s{}x{}_p{}.{}.{}.{}_{}", find_row(key)->name, shape, op.kernel_h,
                        op.kernel_w, op.stride_h, op.stride_w, op.pad_top, op.pad_left,
                        op.pad_bottom, op.pad_right, out.c);
  if (key.contract == Contract::icn_floor) op.half_step = random.coin();
  op.act_max = static_cast<int32_t>(most(out.bits));
  if (key.contract == Contract::tflite && random.coin()) {
    op.act_min = static_cast<int32_t>(random.in(0, 128));
    op.act_max = static_cast<int32_t>(random.in(op.act_min, 255));
  }
  IntTensor second = tensor("in1", key.in_bits, random);
  if (op.kind == OpKind::add) {
    if (key.contract != Contract::tflite) second.bits = static_cast<uint8_t>(1 << random.in(1, 3));
    second.zero_point = zero_point(second.bits, random);
    second.h = in.h;
    second.w = in.w;
    second.c = in.c;
    make_add(op, in, second, out, random);
  }
  if (op.kind == OpKind::avg_pool) make_avg_pool(op, in, out, random);
  if (key.weight_bits != 0) make_weights(op, in, out, random, wish);

  IntNet net;
  net.name = op.name;
  // Parents first; a half-covered output is an input too, so it holds values.
  const auto put = [&](IntTensor t, const char* whole, bool is_output) {
    if (random.coin(3)) {
      const int parent = static_cast<int>(net.tensors.size());
      net.tensors.push_back(wrap_in_parent(t, parent, whole, random));
      net.inputs.push_back(parent);
      if (is_output) net.outputs.push_back(parent);
    } else {
      (is_output ? net.outputs : net.inputs).push_back(static_cast<int>(net.tensors.size()));
    }
    net.tensors.push_back(t);
    return static_cast<int>(net.tensors.size()) - 1;
  };
  op.in0 = put(in, "in_whole", false);
  if (op.kind == OpKind::add) op.in1 = put(second, "in1_whole", false);
  op.out = put(out, "out_whole", true);
  net.ops.push_back(op);
  place_apart(net);
  return net;
}

void append(IntNet& all, const IntNet& part) {
  const int base = static_cast<int>(all.tensors.size());
  for (IntTensor t : part.tensors) {
    if (t.parent >= 0) t.parent += base;
    all.tensors.push_back(t);
  }
  for (IntOp op : part.ops) {
    op.layer_id = static_cast<uint16_t>(all.ops.size());
    op.in0 += base;
    if (op.in1 >= 0) op.in1 += base;
    op.out += base;
    all.ops.push_back(op);
  }
  for (const int id : part.inputs) all.inputs.push_back(id + base);
  for (const int id : part.outputs) all.outputs.push_back(id + base);
  place_apart(all);
}

void place_apart(IntNet& net) {
  net.arena_bytes = 0;
  for (IntTensor& t : net.tensors) {
    if (t.parent >= 0) continue;
    t.arena_offset = net.arena_bytes;   // any byte: tensors need no alignment
    net.arena_bytes += storage_bytes(t);
  }
}

std::vector<uint8_t> random_values(const IntTensor& tensor, Random& random) {
  std::vector<uint8_t> values(size_t{tensor.h} * tensor.w * tensor.c);
  const int64_t top = most(tensor.bits);
  const int64_t style = random.in(0, 9);
  for (uint8_t& v : values)
    v = static_cast<uint8_t>(style == 0 ? top : style == 1 ? 0 : random.in(0, top));
  return values;
}

}  // namespace mcusim::testing
