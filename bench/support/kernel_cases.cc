// SPDX-License-Identifier: MIT
#include "bench/support/kernel_cases.h"

#include <fmt/format.h>

#include <cmath>

#include "kernels/host/names.h"
#include "quant/pack/place.h"
#include "quant/quantise/icn.h"
#include "quant/quantise/thresholds.h"
#include "quant/zoo/random.h"

namespace mcusim::bench {
namespace {

using net::Contract;
using net::Family;
using net::OpKind;

constexpr Shape kShapes[] = {
    {Family::conv, 28, 28, 16, 3, 1, 32},
    {Family::conv, 96, 96, 3, 3, 2, 32, true},
    {Family::pointwise, 14, 14, 256, 1, 1, 256},
    {Family::depthwise, 28, 28, 64, 3, 1, 64},
    {Family::depthwise, 56, 56, 32, 3, 2, 32},
    {Family::depthwise, 28, 28, 64, 5, 1, 64},
    {Family::fully_connected, 1, 1, 1024, 1, 1, 1000},
    {Family::avg_pool, 7, 7, 256, 7, 1, 256},
    {Family::max_pool, 28, 28, 64, 2, 2, 64},
    {Family::add, 28, 28, 64, 1, 1, 64},
    {Family::pad, 28, 28, 64, 1, 1, 64},
    {Family::reshape, 28, 28, 64, 1, 1, 64},
};

constexpr int32_t top(uint8_t bits) { return (1 << bits) - 1; }

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

// TensorFlow's SAME: the odd unit behind.
void pad_same(uint32_t in, uint32_t out, const IntOp& op, uint32_t& before, uint32_t& after) {
  const uint32_t covered = (out - 1) * op.stride_h + op.kernel_h;
  const uint32_t missing = covered > in ? covered - in : 0;
  before = missing / 2;
  after = missing - before;
}

void set_window(const Shape& shape, IntOp& op, IntTensor& out) {
  op.kernel_h = op.kernel_w = shape.kernel;
  op.stride_h = op.stride_w = shape.stride;
  if (shape.family == Family::conv || shape.family == Family::depthwise) {
    out.h = (shape.h + shape.stride - 1) / shape.stride;
    out.w = (shape.w + shape.stride - 1) / shape.stride;
    pad_same(shape.h, out.h, op, op.pad_top, op.pad_bottom);
    pad_same(shape.w, out.w, op, op.pad_left, op.pad_right);
    return;
  }
  out.h = (shape.h - shape.kernel) / shape.stride + 1;
  out.w = (shape.w - shape.kernel) / shape.stride + 1;
}

// Peaked in the middle, zero points near it; factors that spread the outputs over
// their range, a sixteenth of them negative per channel under icn-floor.
void set_weights(const Case& which, const IntTensor& in, const IntTensor& out, IntOp& op) {
  zoo::Random random(1);
  const bool tflite = which.key.contract == Contract::tflite;
  op.weight_bits = which.key.weight_bits;
  const uint64_t taps = which.key.family == Family::depthwise
                            ? uint64_t{op.kernel_h} * op.kernel_w
                            : uint64_t{op.kernel_h} * op.kernel_w * in.c;
  const int32_t high = top(op.weight_bits), middle = (high + 1) / 2;
  op.weights.resize(taps * out.c);
  for (auto& weight : op.weights)
    weight = static_cast<uint8_t>((random.integer(0, high) + random.integer(0, high + 1)) / 2);
  const double deviation = std::sqrt(static_cast<double>(taps)) * top(in.bits) * (high + 1) / 8;
  const double factor = top(out.bits) / (5 * deviation);
  const uint32_t sets = which.per_channel ? out.c : 1;
  for (uint32_t i = 0; i < sets; ++i) {
    if (!tflite || i == 0)   // int8 weights are symmetric
      op.weight_zero_points.push_back(tflite ? 128 : middle + random.integer(-high / 8, high / 8));
    const bool falling = which.per_channel && !tflite && random.integer(0, 15) == 0;
    const auto m = quantise::multiplier_of(factor * random.real(0.8, 1.2) * (falling ? -1 : 1));
    op.mult.push_back(m.mult);
    op.shift.push_back(m.shift);
  }
  for (uint32_t c = 0; c < out.c; ++c)
    op.bias.push_back(static_cast<int32_t>(deviation * random.real(-1, 1)));
}

// Real factors that keep the level: pools copy it, adds halve both inputs.
void set_scalars(const Case& which, IntOp& op, const IntTensor& in, const IntTensor& out) {
  const double level = static_cast<double>(top(out.bits)) / top(in.bits);
  const auto set = [&](int i, double real) {
    const auto m = quantise::multiplier_of(real);
    op.scalar_mult[i] = m.mult;
    op.scalar_shift[i] = m.shift;
  };
  const bool tflite = which.key.contract == Contract::tflite;
  if (op.kind == OpKind::avg_pool && !tflite) set(0, level);
  if (op.kind != OpKind::add) return;
  if (tflite) {
    set(0, 0.45);
    set(1, 0.5);
    set(2, 1 / 1048576.0);
  } else {
    op.scalar_mult[0] = static_cast<int32_t>(level * (1 << 29));
    op.scalar_mult[1] = static_cast<int32_t>(level * (1 << 28));
    op.scalar_shift[2] = 1;
  }
}

}  // namespace

std::string Case::row() const {
  return std::string(find_row(key)->name).substr(std::string_view("mcusim_").size());
}

std::string Case::layer() const {
  const std::string window = shape.kernel * shape.stride > 1
                                 ? fmt::format("{0}x{0}{1} ", shape.kernel,
                                               shape.stride > 1 ? fmt::format(" stride {}", shape.stride) : "")
                                 : "";
  const std::string to = shape.out_c != shape.c ? fmt::format(" to {}", shape.out_c) : "";
  return fmt::format("{} {}{}x{}x{}{}", family_name(key.family), window, shape.h, shape.w, shape.c, to);
}

std::string Case::name() const {
  std::string text = fmt::format("{}/k{}s{}_{}x{}x{}_{}", row(), shape.kernel, shape.stride, shape.h,
                                 shape.w, shape.c, shape.out_c);
  if (key.weight_bits) text += per_channel ? "/pc" : "/pl";
  return text;
}

std::vector<Case> kernel_cases() {
  std::vector<Case> cases;
  for (uint32_t i = 0; i < row_count(); ++i) {
    const RowKey key = row_key(row_at(i).packed_key);
    for (const Shape& shape : kShapes) {
      if (shape.family != key.family || (shape.only_8_bit_input && key.in_bits != 8)) continue;
      cases.push_back({key, shape, true});
      if (key.weight_bits) cases.push_back({key, shape, false});
    }
  }
  return cases;
}

IntNet make_net(const Case& which) {
  const auto& [key, shape, per_channel] = which;
  IntTensor in, out;
  in.name = "in";
  in.h = shape.h, in.w = shape.w, in.c = shape.c;
  in.bits = key.in_bits;
  in.zero_point = top(in.bits) / 4;    // any: corrections for it are part of the price
  out = in;
  out.name = "out";
  out.c = shape.out_c;
  out.bits = key.out_bits;
  out.zero_point = key.contract == Contract::none ? in.zero_point : top(out.bits) / 2;
  IntOp op;
  op.name = which.row();
  op.kind = kind_of(key.family);
  op.contract = key.contract == Contract::thresholds ? Contract::icn_floor : key.contract;
  op.act_max = top(out.bits);
  switch (key.family) {
    case Family::pad:
      op.pad_top = op.pad_left = op.pad_bottom = op.pad_right = 1;
      out.h += 2, out.w += 2;
      break;
    case Family::reshape:
      out.h = 1, out.w = 1, out.c = in.h * in.w * in.c;
      break;
    case Family::add: break;
    default: set_window(shape, op, out);
  }
  if (key.weight_bits) set_weights(which, in, out, op);
  else set_scalars(which, op, in, out);
  if (key.contract == Contract::thresholds) quantise::to_thresholds(op, out);

  IntNet net;
  net.name = which.name();
  net.tensors = {in};
  net.inputs = {0};
  op.in0 = 0;
  if (op.kind == OpKind::add) {
    in.name = "in1";
    net.tensors.push_back(in);
    net.inputs.push_back(1);
    op.in1 = 1;
  }
  op.out = static_cast<int>(net.tensors.size());
  net.tensors.push_back(out);
  net.outputs = {op.out};
  net.ops.push_back(std::move(op));
  place_tensors(net);
  return net;
}

}  // namespace mcusim::bench
