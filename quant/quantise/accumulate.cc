// SPDX-License-Identifier: MIT
// Operands are widened to int16 with zero points taken off, so that every inner
// loop is a product sum over contiguous channels that the compiler vectorises
// (this file is built with -O3).
#include "quant/quantise/accumulate.h"

#include <algorithm>
#include <cstring>

#include "memmap/base/error.h"
#include "quant/quantise/icn.h"

namespace mcusim::quantise {
namespace {

using Wide = std::vector<int16_t>;

Wide centred(const std::vector<uint8_t>& values, int32_t zero_point) {
  Wide wide(values.size());
  for (size_t i = 0; i < values.size(); ++i) wide[i] = static_cast<int16_t>(values[i] - zero_point);
  return wide;
}

int32_t zero_point_of(const IntOp& op, size_t channel) {
  return op.weight_zero_points[op.weight_zero_points.size() == 1 ? 0 : channel];
}

int32_t dot(const int16_t* a, const int16_t* b, size_t count) {
  int32_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += int32_t{a[i]} * b[i];
  return sum;
}

// Visits every output position with the input cell of each tap, or nullptr outside.
template <typename Tap>
void for_each_tap(const IntOp& op, const IntTensor& in, const IntTensor& out, const Wide& x,
                  Tap tap) {
  for (uint32_t y = 0; y < out.h; ++y)
    for (uint32_t col = 0; col < out.w; ++col)
      for (uint32_t ky = 0; ky < op.kernel_h; ++ky)
        for (uint32_t kx = 0; kx < op.kernel_w; ++kx) {
          const int64_t row = int64_t{y} * op.stride_h + ky - op.pad_top;
          const int64_t cell = int64_t{col} * op.stride_w + kx - op.pad_left;
          const bool inside = row >= 0 && cell >= 0 && row < in.h && cell < in.w;
          tap(size_t{y} * out.w + col, size_t{ky} * op.kernel_w + kx,
              inside ? &x[(static_cast<size_t>(row) * in.w + static_cast<size_t>(cell)) * in.c]
                     : nullptr);
        }
}

std::vector<int32_t> dense(const IntOp& op, const IntTensor& in, const IntTensor& out,
                           const Wide& x) {
  const bool connected = op.kind == net::OpKind::fully_connected;
  const size_t taps = connected ? 1 : size_t{op.kernel_h} * op.kernel_w;
  const size_t cell = connected ? x.size() : in.c, depth = taps * cell;
  Wide w(op.weights.size());
  for (size_t co = 0; co < out.c; ++co)
    for (size_t k = 0; k < depth; ++k)
      w[co * depth + k] =
          static_cast<int16_t>(op.weights[co * depth + k] - zero_point_of(op, co));
  const size_t positions = size_t{out.h} * out.w;
  Wide columns(connected ? 0 : positions * depth);
  if (!connected)
    for_each_tap(op, in, out, x, [&](size_t position, size_t tap, const int16_t* values) {
      if (values) std::copy_n(values, cell, &columns[position * depth + tap * cell]);
    });
  const int16_t* rows = connected ? x.data() : columns.data();
  std::vector<int32_t> phi(positions * out.c);
  for (size_t p = 0; p < positions; ++p)
    for (size_t co = 0; co < out.c; ++co)
      phi[p * out.c + co] = dot(rows + p * depth, &w[co * depth], depth);
  return phi;
}

std::vector<int32_t> per_channel(const IntOp& op, const IntTensor& in, const IntTensor& out,
                                 const Wide& x) {
  const bool pool = op.kind == net::OpKind::avg_pool;
  const size_t taps = size_t{op.kernel_h} * op.kernel_w;
  Wide w(taps * in.c, 1);
  if (!pool)
    for (size_t t = 0; t < taps; ++t)
      for (size_t c = 0; c < in.c; ++c)
        w[t * in.c + c] = static_cast<int16_t>(op.weights[t * in.c + c] - zero_point_of(op, c));
  std::vector<int32_t> phi(size_t{out.h} * out.w * out.c);
  for_each_tap(op, in, out, x, [&](size_t position, size_t tap, const int16_t* values) {
    if (!values) return;
    int32_t* sums = &phi[position * out.c];
    const int16_t* weights = &w[tap * in.c];
    for (size_t c = 0; c < in.c; ++c) sums[c] += int32_t{values[c]} * weights[c];
  });
  return phi;
}

uint32_t cells_inside(const IntOp& op, const IntTensor& in, uint32_t y, uint32_t x) {
  const auto span = [](int64_t first, int64_t kernel, int64_t extent) {
    return std::max<int64_t>(0, std::min(first + kernel, extent) - std::max<int64_t>(first, 0));
  };
  return static_cast<uint32_t>(
      span(int64_t{y} * op.stride_h - op.pad_top, op.kernel_h, in.h) *
      span(int64_t{x} * op.stride_w - op.pad_left, op.kernel_w, in.w));
}

// floor(sum * M0 * 2^(N0-31) / n + h): as one floor, of a fraction over 2n.
int64_t pooled(int64_t sum, Multiplier m, uint32_t n, bool half_step) {
  const int right = 31 - m.shift;
  if (right < 0 || right > 60) throw Error("average pool: a multiplier of {}", value_of(m));
  const __int128 numerator =
      2 * static_cast<__int128>(sum) * m.mult + (half_step ? (static_cast<__int128>(n) << right) : 0);
  const __int128 denominator = static_cast<__int128>(2 * n) << right;
  const __int128 quotient = numerator / denominator;
  return static_cast<int64_t>(quotient - (numerator % denominator < 0 ? 1 : 0));
}

std::vector<uint8_t> average(const IntNet& net, const IntOp& op, const std::vector<int32_t>& phi) {
  const IntTensor& in = net.tensors[op.in0];
  const IntTensor& out = net.tensors[op.out];
  std::vector<uint8_t> result(phi.size());
  for (size_t i = 0; i < phi.size(); ++i) {
    const auto position = static_cast<uint32_t>(i / out.c);
    const uint32_t n = cells_inside(op, in, position / out.w, position % out.w);
    const int64_t value =
        pooled(phi[i], {op.scalar_mult[0], op.scalar_shift[0]}, n, op.half_step);
    result[i] = static_cast<uint8_t>(
        std::clamp<int64_t>(out.zero_point + value, op.act_min, op.act_max));
  }
  return result;
}

std::vector<uint8_t> sum(const IntNet& net, const IntOp& op, const std::vector<uint8_t>& a,
                         const std::vector<uint8_t>& b) {
  const int32_t za = net.tensors[op.in0].zero_point, zb = net.tensors[op.in1].zero_point;
  const IntTensor& out = net.tensors[op.out];
  const int right = 31 - op.scalar_shift[2];
  if (right < 1 || right > 60) throw Error("{}: an addition with shift {}", op.name, right);
  const int64_t half = op.half_step ? int64_t{1} << (right - 1) : 0;
  std::vector<uint8_t> result(a.size());
  for (size_t i = 0; i < a.size(); ++i) {
    const int64_t total =
        int64_t{a[i] - za} * op.scalar_mult[0] + int64_t{b[i] - zb} * op.scalar_mult[1];
    result[i] = static_cast<uint8_t>(std::clamp<int64_t>(
        out.zero_point + ((total + half) >> right), op.act_min, op.act_max));
  }
  return result;
}

}  // namespace

std::vector<int32_t> accumulate(const IntNet& net, const IntOp& op,
                                const std::vector<uint8_t>& in) {
  const IntTensor& x = net.tensors[op.in0];
  const IntTensor& y = net.tensors[op.out];
  check(in.size() == size_t{x.h} * x.w * x.c, "values of the input tensor");
  const Wide wide = centred(in, x.zero_point);
  switch (op.kind) {
    case net::OpKind::conv2d:
    case net::OpKind::fully_connected: return dense(op, x, y, wide);
    case net::OpKind::depthwise:
    case net::OpKind::avg_pool: return per_channel(op, x, y, wide);
    default: throw Error("{}: has no accumulators", op.name);
  }
}

std::vector<uint8_t> run_icn(const IntNet& net, const IntOp& op, const std::vector<uint8_t>& in,
                             const std::vector<uint8_t>& in1) {
  if (op.kind == net::OpKind::reshape) return in;
  if (op.kind == net::OpKind::add) return sum(net, op, in, in1);
  const auto phi = accumulate(net, op, in);
  if (op.kind == net::OpKind::avg_pool) return average(net, op, phi);
  const IntTensor& out = net.tensors[op.out];
  std::vector<uint8_t> result(phi.size());
  for (size_t i = 0; i < phi.size(); ++i) {
    const size_t c = i % out.c, k = op.mult.size() == 1 ? 0 : c;
    result[i] = icn_output(int64_t{phi[i]} + op.bias[c], {op.mult[k], op.shift[k]}, out.zero_point,
                           op.act_min, op.act_max);
  }
  return result;
}

std::vector<std::vector<uint8_t>> run_icn(const IntNet& net, const std::vector<uint8_t>& input) {
  std::vector<std::vector<uint8_t>> values(net.tensors.size());
  values[net.inputs[0]] = input;
  for (const IntOp& op : net.ops)
    values[op.out] = run_icn(net, op, values[op.in0],
                             op.in1 >= 0 ? values[op.in1] : std::vector<uint8_t>{});
  return values;
}

}  // namespace mcusim::quantise
