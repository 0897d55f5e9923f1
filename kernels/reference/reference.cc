// SPDX-License-Identifier: MIT
// The naive twin. Written from the formulas alone: exact sums in 64 bits, products
// in 128, one value at a time, nothing folded, nothing packed. Where a formula
// speaks of a 32-bit accumulator, the exact sum is reduced modulo 2^32 at the end.
#include "kernels/reference/reference.h"

#include <algorithm>
#include <limits>

#include "memmap/base/error.h"

namespace mcusim::reference {
namespace {

using Wide = __int128;
using net::Contract;
using net::OpKind;

Wide floor_divide(Wide a, Wide b) {  // b > 0
  const Wide q = a / b;
  return a % b < 0 ? q - 1 : q;
}

// floor(value * 2^exponent / n + half/2), for |value| < 2^80 and 0 < n <= 2^32;
// results beyond +-2^40 may be given as +-2^40, since every use clamps to 8 bits.
int64_t floor_scaled(Wide value, int exponent, Wide n, bool half) {
  constexpr Wide kBig = Wide{1} << 40;
  for (; exponent > 0; --exponent) {
    if (value > kBig * n) return int64_t{1} << 40;
    if (value < -kBig * n) return -(int64_t{1} << 40);
    value *= 2;
  }
  const int down = -exponent;
  if (down == 0) return static_cast<int64_t>(floor_divide(2 * value + (half ? n : 0), 2 * n));
  // floor(floor(value/n) / 2^d + 1/2) needs only whole numbers once d >= 1.
  Wide whole = floor_divide(value, n);
  if (down > 100) {
    // |whole| < 2^81 is less than half of 2^d: with the half step it rounds to 0.
    return half || whole >= 0 ? 0 : -1;
  }
  if (half) whole += Wide{1} << (down - 1);
  const Wide result = floor_divide(whole, Wide{1} << down);
  return static_cast<int64_t>(std::clamp(result, -kBig, kBig));
}

// The tflite contract's two roundings.
int64_t doubling_high(int64_t a, int64_t b) {
  const int64_t minimum = std::numeric_limits<int32_t>::min();
  if (a == minimum && b == minimum) return std::numeric_limits<int32_t>::max();
  const Wide product = Wide{a} * b;
  const Wide nudged = product + (product >= 0 ? (Wide{1} << 30) : 1 - (Wide{1} << 30));
  return static_cast<int64_t>(nudged / (Wide{1} << 31));  // C++ division truncates to zero
}

int64_t rounding_shift(int64_t x, int exponent) {
  const int64_t power = int64_t{1} << exponent;
  const int64_t below = static_cast<int64_t>(floor_divide(x, power));
  const int64_t rest = x - below * power;
  return below + (rest > (power - 1) / 2 + (x < 0 ? 1 : 0) ? 1 : 0);
}

int32_t wrap(int64_t value) { return static_cast<int32_t>(static_cast<uint32_t>(value)); }

int64_t requantise(int64_t acc, int32_t mult, int shift) {
  int64_t shifted = wrap(acc);
  for (int i = 0; i < shift; ++i) shifted = wrap(shifted * 2);
  return rounding_shift(doubling_high(shifted, mult), shift < 0 ? -shift : 0);
}

// What an operator needs around it, by name.
struct Site {
  const IntTensor& in;
  const IntTensor& out;
  const IntOp& op;

  int64_t most() const { return (int64_t{1} << out.bits) - 1; }
  uint8_t clamped(int64_t y) const { return static_cast<uint8_t>(std::clamp<int64_t>(y, 0, most())); }
  uint8_t activated(int64_t y) const {
    return static_cast<uint8_t>(std::clamp<int64_t>(y, op.act_min, op.act_max));
  }
  size_t in_index(int64_t y, int64_t x, int64_t c) const { return (y * in.w + x) * in.c + c; }
  size_t out_index(int64_t y, int64_t x, int64_t c) const { return (y * out.w + x) * out.c + c; }
};

template <typename T>
T of_channel(const std::vector<T>& values, size_t c) {
  return values.size() == 1 ? values[0] : values[c];
}

// From Phi to the stored output.
uint8_t finish(const Site& s, size_t c, int64_t phi) {
  const int64_t acc = wrap(phi + s.op.bias[c]);
  if (s.op.contract == Contract::icn_floor) {
    const Wide product = Wide{acc} * of_channel(s.op.mult, c);
    return s.clamped(s.out.zero_point +
                     floor_scaled(product, of_channel(s.op.shift, c) - 31, 1, false));
  }
  if (s.op.contract == Contract::tflite)
    return s.activated(requantise(acc, of_channel(s.op.mult, c), of_channel(s.op.shift, c)) +
                       s.out.zero_point);
  check(s.op.contract == Contract::thresholds, "a contract with weights");
  const size_t count = static_cast<size_t>(s.most());
  uint8_t passed = 0;
  for (size_t k = 0; k < count; ++k) {
    const int64_t t = s.op.thresholds[c * count + k];
    passed += s.op.directions[c] ? acc > t : acc <= t;
  }
  return passed;
}

// Calls visit(y, x, ky, kx) for the window cells of one output that lie inside.
template <typename Visit>
void for_each_cell(const Site& s, int64_t oy, int64_t ox, Visit visit) {
  for (int64_t ky = 0; ky < s.op.kernel_h; ++ky)
    for (int64_t kx = 0; kx < s.op.kernel_w; ++kx) {
      const int64_t y = oy * s.op.stride_h + ky - s.op.pad_top;
      const int64_t x = ox * s.op.stride_w + kx - s.op.pad_left;
      if (y >= 0 && y < s.in.h && x >= 0 && x < s.in.w) visit(y, x, ky, kx);
    }
}

// Calls result(y, x, c) for every output and stores what it returns.
template <typename Result>
Values for_each_output(const Site& s, Result result) {
  Values out(size_t{s.out.h} * s.out.w * s.out.c);
  for (int64_t y = 0; y < s.out.h; ++y)
    for (int64_t x = 0; x < s.out.w; ++x)
      for (int64_t c = 0; c < s.out.c; ++c) out[s.out_index(y, x, c)] = result(y, x, c);
  return out;
}

Values conv2d(const Site& s, const Values& in) {
  return for_each_output(s, [&](int64_t oy, int64_t ox, int64_t co) {
    const int64_t zw = of_channel(s.op.weight_zero_points, co);
    int64_t phi = 0;
    for_each_cell(s, oy, ox, [&](int64_t y, int64_t x, int64_t ky, int64_t kx) {
      for (int64_t ci = 0; ci < s.in.c; ++ci) {
        const size_t w = ((co * s.op.kernel_h + ky) * s.op.kernel_w + kx) * s.in.c + ci;
        phi += (int64_t{in[s.in_index(y, x, ci)]} - s.in.zero_point) * (s.op.weights[w] - zw);
      }
    });
    return finish(s, co, phi);
  });
}

Values depthwise(const Site& s, const Values& in) {
  return for_each_output(s, [&](int64_t oy, int64_t ox, int64_t c) {
    const int64_t zw = of_channel(s.op.weight_zero_points, c);
    int64_t phi = 0;
    for_each_cell(s, oy, ox, [&](int64_t y, int64_t x, int64_t ky, int64_t kx) {
      const size_t w = (ky * s.op.kernel_w + kx) * s.in.c + c;
      phi += (int64_t{in[s.in_index(y, x, c)]} - s.in.zero_point) * (s.op.weights[w] - zw);
    });
    return finish(s, c, phi);
  });
}

Values fully_connected(const Site& s, const Values& in) {
  return for_each_output(s, [&](int64_t, int64_t, int64_t co) {
    const int64_t zw = of_channel(s.op.weight_zero_points, co);
    int64_t phi = 0;
    for (size_t k = 0; k < in.size(); ++k)
      phi += (int64_t{in[k]} - s.in.zero_point) * (s.op.weights[co * in.size() + k] - zw);
    return finish(s, co, phi);
  });
}

uint8_t average(const Site& s, int64_t sum, int64_t n) {
  const int32_t mult = s.op.scalar_mult[0];
  const int shift = s.op.scalar_shift[0];
  if (s.op.contract == Contract::icn_floor)
    return s.clamped(s.out.zero_point + floor_scaled(Wide{sum - n * s.in.zero_point} * mult,
                                                     shift - 31, n, s.op.half_step));
  if (mult != 0)  // unequal scales: the multiplier holds 1/n
    return s.activated(requantise(sum - n * s.in.zero_point, mult, shift) + s.out.zero_point);
  const int64_t q = sum - 128 * n;  // of the real int8 values
  const int64_t rounded = q >= 0 ? (q + n / 2) / n : -((-q + n / 2) / n);
  return s.activated(rounded + 128);
}

Values avg_pool(const Site& s, const Values& in) {
  return for_each_output(s, [&](int64_t oy, int64_t ox, int64_t c) {
    int64_t sum = 0, n = 0;
    for_each_cell(s, oy, ox, [&](int64_t y, int64_t x, int64_t, int64_t) {
      sum += in[s.in_index(y, x, c)];
      ++n;
    });
    return average(s, sum, n);
  });
}

Values max_pool(const Site& s, const Values& in) {
  return for_each_output(s, [&](int64_t oy, int64_t ox, int64_t c) {
    uint8_t largest = 0;
    for_each_cell(s, oy, ox, [&](int64_t y, int64_t x, int64_t, int64_t) {
      largest = std::max(largest, in[s.in_index(y, x, c)]);
    });
    return largest;
  });
}

Values add(const Site& s, const IntTensor& second, const Values& in0, const Values& in1) {
  const int32_t* mult = s.op.scalar_mult;
  const int8_t* shift = s.op.scalar_shift;
  return for_each_output(s, [&](int64_t y, int64_t x, int64_t c) {
    const size_t i = s.out_index(y, x, c);
    const int64_t a = int64_t{in0[i]} - s.in.zero_point, b = int64_t{in1[i]} - second.zero_point;
    if (s.op.contract == Contract::icn_floor)
      return s.clamped(s.out.zero_point + floor_scaled(Wide{a} * mult[0] + Wide{b} * mult[1],
                                                       shift[2] - 31, 1, s.op.half_step));
    const int64_t sum = requantise(a * (1 << 20), mult[0], shift[0]) +
                        requantise(b * (1 << 20), mult[1], shift[1]);
    return s.activated(requantise(sum, mult[2], shift[2]) + s.out.zero_point);
  });
}

Values pad(const Site& s, const Values& in) {
  return for_each_output(s, [&](int64_t oy, int64_t ox, int64_t c) {
    const int64_t y = oy - s.op.pad_top, x = ox - s.op.pad_left;
    const bool inside = y >= 0 && y < s.in.h && x >= 0 && x < s.in.w;
    return inside ? in[s.in_index(y, x, c)] : static_cast<uint8_t>(s.in.zero_point);
  });
}

// A tensor's elements inside its root, by the chain of views.
template <typename Visit>
void for_each_element(const IntNet& net, int id, Visit visit) {
  const IntTensor& view = net.tensors[id];
  size_t y0 = 0, x0 = 0, c0 = 0;
  int root = id;
  for (; net.tensors[root].parent >= 0; root = net.tensors[root].parent) {
    y0 += net.tensors[root].origin_y;
    x0 += net.tensors[root].origin_x;
    c0 += net.tensors[root].origin_c;
  }
  const IntTensor& whole = net.tensors[root];
  size_t next = 0;
  for (size_t y = y0; y < y0 + view.h; ++y)
    for (size_t x = x0; x < x0 + view.w; ++x)
      for (size_t c = c0; c < c0 + view.c; ++c) visit(next++, root, (y * whole.w + x) * whole.c + c);
}

}  // namespace

Values run_op(const IntNet& net, const IntOp& op, const Values& in0, const Values& in1) {
  const Site s{net.tensors.at(op.in0), net.tensors.at(op.out), op};
  switch (op.kind) {
    case OpKind::conv2d: return conv2d(s, in0);
    case OpKind::depthwise: return depthwise(s, in0);
    case OpKind::fully_connected: return fully_connected(s, in0);
    case OpKind::avg_pool: return avg_pool(s, in0);
    case OpKind::max_pool: return max_pool(s, in0);
    case OpKind::add: return add(s, net.tensors.at(op.in1), in0, in1);
    case OpKind::pad: return pad(s, in0);
    case OpKind::reshape: return in0;
  }
  throw Error("operator kind {} is unknown", static_cast<int>(op.kind));
}

std::vector<Values> run(const IntNet& net, const std::vector<Values>& inputs) {
  if (inputs.size() != net.inputs.size())
    throw Error("{} inputs given, the network has {}", inputs.size(), net.inputs.size());
  // Values live in root tensors only; a view is gathered when read.
  std::vector<Values> roots(net.tensors.size());
  const auto gather = [&](int id) {
    Values values;
    if (id >= 0)
      for_each_element(net, id, [&](size_t, int root, size_t at) { values.push_back(roots[root][at]); });
    return values;
  };
  const auto scatter = [&](int id, const Values& values) {
    for_each_element(net, id, [&](size_t i, int root, size_t at) { roots[root][at] = values[i]; });
  };
  for (size_t i = 0; i < roots.size(); ++i)
    roots[i].resize(size_t{net.tensors[i].h} * net.tensors[i].w * net.tensors[i].c);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].size() != roots[net.inputs[i]].size())
      throw Error("input {}: {} values instead of {}", i, inputs[i].size(),
                  roots[net.inputs[i]].size());
    scatter(net.inputs[i], inputs[i]);
  }
  for (const IntOp& op : net.ops) scatter(op.out, run_op(net, op, gather(op.in0), gather(op.in1)));
  std::vector<Values> all;
  for (size_t i = 0; i < net.tensors.size(); ++i) all.push_back(gather(static_cast<int>(i)));
  return all;
}

}  // namespace mcusim::reference
