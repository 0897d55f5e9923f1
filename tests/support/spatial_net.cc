// SPDX-License-Identifier: MIT
#include "tests/support/spatial_net.h"

#include <fmt/format.h>

#include "tests/support/op_parameters.h"

namespace mcusim::testing {
namespace {

using net::Contract;
using net::OpKind;

class Maker {
 public:
  explicit Maker(Random& random) : random_(random) {}

  IntNet make() {
    net_.name = "spatial";
    IntTensor input = tensor(8, side(9, 26), side(9, 26), number(1, 4));
    input.name = "x";
    net_.inputs = {put(input)};
    int x = net_.inputs[0];
    for (int layers = static_cast<int>(random_.in(3, 6)); layers-- > 0;) x = add_layer(x);
    x = window(OpKind::conv2d, x, number(2, 9), 1, 1);
    IntOp last = operation(OpKind::fully_connected, x, tensor(8, 1, 1, 10));
    net_.outputs = {finish(std::move(last))};
    return std::move(net_);
  }

 private:
  uint32_t number(int64_t first, int64_t last) { return static_cast<uint32_t>(random_.in(first, last)); }
  uint32_t side(int64_t first, int64_t last) { return number(first, last); }
  uint8_t width() { return static_cast<uint8_t>(1 << random_.in(1, 3)); }

  IntTensor tensor(uint8_t bits, uint32_t h, uint32_t w, uint32_t c) {
    IntTensor t;
    t.name = fmt::format("t{}", net_.tensors.size());
    t.h = h, t.w = w, t.c = c;
    t.bits = bits;
    t.zero_point = static_cast<int32_t>(random_.in(0, most(bits)));
    return t;
  }
  int put(IntTensor t) {
    net_.tensors.push_back(std::move(t));
    return static_cast<int>(net_.tensors.size()) - 1;
  }

  IntOp operation(OpKind kind, int in, IntTensor out) {
    IntOp op;
    op.name = fmt::format("L{}", net_.ops.size() + 1);
    op.layer_id = static_cast<uint16_t>(net_.ops.size() + 1);
    op.kind = kind;
    op.in0 = in;
    op.out = put(std::move(out));
    return op;
  }

  // Gives the operator its parameters and appends it.
  int finish(IntOp op) {
    IntTensor& out = net_.tensors[op.out];
    op.act_max = static_cast<int32_t>(most(out.bits));
    switch (op.kind) {
      case OpKind::max_pool:
      case OpKind::pad: op.contract = Contract::none; break;
      case OpKind::avg_pool: make_avg_pool(op, net_.tensors[op.in0], out, random_); break;
      case OpKind::add:
        make_add(op, net_.tensors[op.in0], net_.tensors[op.in1], out, random_);
        break;
      default:
        op.weight_bits = width();
        op.half_step = random_.coin();
        make_weights(op, net_.tensors[op.in0], out, random_, {});
    }
    net_.ops.push_back(std::move(op));
    return net_.ops.back().out;
  }

  int window(OpKind kind, int in, uint32_t channels, uint32_t kernel_most, uint32_t stride_most,
             bool same = false) {
    const IntTensor from = net_.tensors[in];
    IntOp op;
    const auto axis = [&](uint32_t size, uint32_t& kernel, uint32_t& stride, uint32_t& before,
                          uint32_t& after) {
      kernel = number(1, kernel_most);
      stride = number(1, stride_most);
      before = number(0, kernel - 1);
      after = same ? kernel - 1 - before : number(0, kernel - 1);
      while (size + before + after < kernel) --kernel, before = after = kernel - 1;
    };
    axis(from.h, op.kernel_h, op.stride_h, op.pad_top, op.pad_bottom);
    axis(from.w, op.kernel_w, op.stride_w, op.pad_left, op.pad_right);
    const bool passes = kind == OpKind::max_pool;
    IntTensor out = tensor(passes ? from.bits : width(),
                           window_out(from.h, op.kernel_h, op.stride_h, op.pad_top, op.pad_bottom),
                           window_out(from.w, op.kernel_w, op.stride_w, op.pad_left, op.pad_right),
                           kind == OpKind::conv2d ? channels : from.c);
    if (passes) out.zero_point = from.zero_point;
    IntOp named = operation(kind, in, std::move(out));
    op.name = named.name, op.layer_id = named.layer_id, op.kind = kind;
    op.in0 = named.in0, op.out = named.out;
    return finish(std::move(op));
  }

  int pad(int in) {
    const IntTensor from = net_.tensors[in];
    IntTensor out = tensor(from.bits, from.h, from.w, from.c);
    out.zero_point = from.zero_point;
    uint32_t pads[4];
    for (uint32_t& p : pads) p = number(0, 3);
    out.h += pads[0] + pads[1];
    out.w += pads[2] + pads[3];
    IntOp op = operation(OpKind::pad, in, std::move(out));
    op.pad_top = pads[0], op.pad_bottom = pads[1], op.pad_left = pads[2], op.pad_right = pads[3];
    return finish(std::move(op));
  }

  // A shortcut around one or two layers that keep the shape.
  int residual(int in) {
    const IntTensor from = net_.tensors[in];
    int y = window(OpKind::depthwise, in, from.c, 5, 1, true);
    if (random_.coin()) y = window(OpKind::conv2d, y, from.c, 3, 1, true);
    IntOp op = operation(OpKind::add, y, tensor(width(), from.h, from.w, from.c));
    op.in1 = in;
    return finish(std::move(op));
  }

  int add_layer(int x) {
    // Small maps take nothing that shrinks them further.
    const bool small = net_.tensors[x].h < 7 || net_.tensors[x].w < 7;
    const uint32_t stride = small ? 1 : 3;
    switch (random_.in(0, 6)) {
      case 0: return window(OpKind::depthwise, x, 0, 5, stride);
      case 1: return window(OpKind::max_pool, x, 0, 3, stride);
      case 2: return window(OpKind::avg_pool, x, 0, 3, stride);
      case 3: return pad(x);
      case 4: return residual(x);
      default: return window(OpKind::conv2d, x, number(1, 12), 5, stride);
    }
  }

  Random& random_;
  IntNet net_;
};

}  // namespace

IntNet random_spatial_net(Random& random) { return Maker(random).make(); }

}  // namespace mcusim::testing
